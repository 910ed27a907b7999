#include <filesystem>
#include <iostream>
#include <set>

#include "retia/apps/commands.h"

namespace retia {
namespace {

struct CompletionOptions {
  std::string shell = "bash";
};
std::vector<Option> declared(CompletionOptions& o) {
  return {option("shell", o.shell, Names{{"bash", "zsh"}}, "shell that reads the script")};
}

/// Returns words for the shell, between quotes.
template <class Names>
std::string quoted(const Names& names) {
  std::string text = "\"";
  for (const std::string& name : names) {
    text += (text.size() == 1 ? "" : " ") + name;
  }
  return text + '"';
}

std::vector<std::string> values_of(const Program& program, const Flag& flag) {
  if (!flag.option.names) {
    return {};
  }
  return flag.option.names->table.empty() ? flag.option.names->listed
                                          : program.names(flag.option.names->table);
}

/// Returns `key=` for all keys that --set takes in a command, whatever entries are named.
std::set<std::string> keys_of(const Program& program, const Command& command) {
  std::set<std::string> keys;
  const auto add = [&](const Words& words) {
    for (const Section& section : command.sections(program, words)) {
      for (const Option& option : flattened(section.options, section.name)) {
        keys.insert(option.key + "=");
      }
    }
  };
  add({});
  for (const Flag& flag : command.flags) {
    if (flag.option.names && !flag.option.names->table.empty()) {
      for (const std::string& name : values_of(program, flag)) {
        add({"--" + flag.name, name});
      }
    }
  }
  return keys;
}

/// Writes what may follow the words `retia COMMAND`.
void print_command(const Program& program, const Command& command) {
  std::set<std::string> dashed = {"--config", "--help", "--set"};
  std::string nameless = "--config";
  std::cout << "    \"" << command.name << "\")\n      case $before in\n";
  for (const Flag& flag : command.flags) {
    const std::string name = (flag.name.size() == 1 ? "-" : "--") + flag.name;
    dashed.insert(name);
    if (flag.option.names) {
      std::cout << "        " << name << ") known=" << quoted(values_of(program, flag)) << " ;;\n";
    } else if (!flag.placeholder.empty()) {
      nameless += "|" + name;
    }
  }
  std::cout << "        --set) known=" << quoted(keys_of(program, command)) << " ;;\n        "
            << nameless << ") ;;\n        *) dashed=" << quoted(dashed);
  if (command.positional) {
    std::cout << "; first=" << quoted(values_of(program, *command.positional));
  }
  std::cout << " ;;\n      esac ;;\n";
}

/// Returns the first words of all commands, or the second ones of those that begin with `word`.
std::set<std::string> words_of(const CommandTable& commands, const std::string& word) {
  std::set<std::string> words;
  for (const std::string& name : commands.names()) {
    const size_t space = name.find(' ');
    if (word.empty()) {
      words.insert(name.substr(0, space));
    } else if (space != name.npos && name.substr(0, space) == word) {
      words.insert(name.substr(space + 1));
    }
  }
  return words;
}

/// Writes a function that completes by name where there are names, by file elsewhere. zsh runs it
/// too, by bashcompinit.
int print_script(const Program& program, const CompletionOptions& options) {
  const std::string name = std::filesystem::read_symlink("/proc/self/exe").filename();
  std::string function = "_" + name;
  for (char& letter : function) {
    letter = std::isalnum(static_cast<unsigned char>(letter)) != 0 ? letter : '_';
  }
  if (options.shell == "zsh") {
    std::cout << "#compdef " << name << "\nautoload -U +X bashcompinit && bashcompinit\n";
  }
  const std::set<std::string> commands = words_of(program.commands, "");
  std::set<std::string> first = commands;
  first.insert({"help", "--help", "--version"});
  std::cout << function << "() {\n"
            << "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}\n"
            << "  local command=${COMP_WORDS[1]} place=$COMP_CWORD known= dashed= first=\n"
            << "  COMPREPLY=()\n"
            << "  if [ $place = 1 ]; then\n"
            << "    COMPREPLY=($(compgen -W " << quoted(first) << " -- \"$word\"))\n"
            << "    return\n"
            << "  fi\n"
            << "  case $command in\n";
  for (const std::string& command : commands) {
    const std::set<std::string> forms = words_of(program.commands, command);
    if (!forms.empty()) {
      std::cout << "    " << command << ")\n"
                << "      if [ $place = 2 ]; then known=" << quoted(forms) << "; fi\n"
                << "      command=\"$command ${COMP_WORDS[2]}\" place=$((place - 1)) ;;\n";
    }
  }
  std::cout << "    help) known=" << quoted(commands) << " ;;\n"
            << "  esac\n"
            << "  case $command in\n";
  for (const Command& command : program.commands.all()) {
    print_command(program, command);
  }
  std::cout << "  esac\n"
            << "  case $word in\n"
            << "    -*) known=\"$known $dashed\" ;;\n"
            << "    *) if [ $place = 2 ]; then known=\"$known $first\"; fi ;;\n"
            << "  esac\n"
            << "  COMPREPLY=($(compgen -W \"$known\" -- \"$word\"))\n"
            << "  case ${COMPREPLY[0]-} in\n"
            << "    *=) compopt -o nospace 2> /dev/null ;;\n"
            << "  esac\n"
            << "}\n"
            << "complete -o default -F " << function << ' ' << name << '\n';
  return kDone;
}

}  // namespace

Command commands::completion() {
  return make_command("completion", "prints a script that completes words in bash or zsh",
                      print_script, {.positional = "shell"});
}

}  // namespace retia
