#include "retia/apps/command.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <sstream>

#include "retia/apps/program.h"
#include "retia/engine/base/suggest.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/options.h"

namespace retia {
namespace {

namespace po = boost::program_options;

constexpr unsigned kLineWidth = 100, kMeaningWidth = 64;
constexpr size_t kEntryWidth = 46;

/// Returns the option with the names of its table listed.
Option with_names(const Program& program, Option option) {
  if (option.names && !option.names->table.empty()) {
    option.names = Names{program.names(option.names->table)};
  }
  return option;
}

std::string told(const Option& option) {
  const std::string limits = limits_of(option);
  return option.meaning + (option.meaning.empty() || limits.empty() ? "" : " ") + limits;
}

/// `program`: null where only the names of the options are needed.
po::options_description described(const Program* program, const std::vector<Flag>& flags) {
  po::options_description options("options", kLineWidth, kMeaningWidth);
  auto add = options.add_options();
  for (const Flag& flag : flags) {
    const std::string name = flag.name.size() == 1 ? flag.name + "," + flag.name : flag.name;
    const std::string text = program == nullptr ? "" : told(with_names(*program, flag.option));
    if (flag.placeholder.empty()) {
      add(name.c_str(), text.c_str());
    } else {
      add(name.c_str(), po::value<std::string>()->value_name(flag.placeholder), text.c_str());
    }
  }
  add("config", po::value<std::string>()->value_name("FILE"), "configuration to start from (JSON)");
  add("set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
      "any entry of the configuration");
  return options;
}

po::variables_map parse(const po::options_description& options, const Words& words) {
  po::variables_map values;
  try {
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    const po::parsed_options parsed =
        po::command_line_parser(words).options(options).style(style).run();
    for (const po::option& option : parsed.options) {
      TORCH_CHECK(option.position_key < 0, "unexpected word '", c10::Join(" ", option.value),
                  "': every option begins with --");
    }
    po::store(parsed, values);
    return values;
  } catch (const po::unknown_option& error) {
    Words known;
    for (const auto& option : options.options()) {
      known.push_back("--" + option->long_name());
    }
    TORCH_CHECK(false, "unknown option ", error.get_option_name(),
                suggestion(error.get_option_name(), known));
  } catch (const po::error& error) {
    TORCH_CHECK(false, error.what());
  }
}

Json::json_pointer pointer(std::string key) {
  std::replace(key.begin(), key.end(), '.', '/');
  return Json::json_pointer("/" + key);
}

/// Returns the flag as it is written on the command line.
std::string dashed(const Flag& flag) { return (flag.name.size() == 1 ? "-" : "--") + flag.name; }

/// Sets the entry of a flag. Throws, naming the flag, where the value is of another type.
void set(Json& json, const Flag& flag, const std::string& value) {
  if (flag.placeholder.empty()) {
    json[pointer(flag.key)] = true;
  } else if (flag.option.value.is_string()) {
    json[pointer(flag.key)] = value;
  } else {
    set_by_path(json, flag.key + "=" + value);
    check_options({{dashed(flag), json[pointer(flag.key)]}}, {{dashed(flag), flag.option.value}},
                  "");
  }
}

bool is_word(const Words& words) { return !words.empty() && words.front().rfind('-', 0) != 0; }

}  // namespace

std::vector<Flag> flags_of(const std::vector<Option>& options) {
  std::vector<Flag> flags;
  for (const Option& option : options) {
    if (option.value.is_structured() || option.value.is_null()) {
      continue;
    }
    std::string name = option.flag.empty() ? option.key : option.flag;
    std::replace(name.begin(), name.end(), '_', '-');
    const std::string placeholder = option.value == false         ? ""
                                    : !option.placeholder.empty() ? option.placeholder
                                    : option.names                ? "NAME"
                                    : option.value.is_number()    ? "N"
                                                                  : "VALUE";
    flags.push_back({name, option.key, placeholder, option});
  }
  return flags;
}

Json read_words(const Command& command, const Words& words,
                const std::function<void(const std::string&)>& admit) {
  const bool named = command.positional && is_word(words);
  const po::variables_map values =
      parse(described(nullptr, command.flags), {words.begin() + (named ? 1 : 0), words.end()});
  Json json = Json::object();
  if (values.count("config") != 0) {
    const auto file = values["config"].as<std::string>();
    json = read_json(file);
    TORCH_CHECK(json.is_object(), file, ": expected an object of sections");
    for (const char* header : {"format", "version", "command"}) {
      json.erase(header);
    }
  }
  for (const Flag& flag : command.flags) {
    if (values.count(flag.name) != 0) {
      set(json, flag, flag.placeholder.empty() ? "" : values[flag.name].as<std::string>());
    }
  }
  if (named) {
    set(json, *command.positional, words.front());
  }
  if (values.count("set") != 0) {
    for (const std::string& assignment : values["set"].as<Words>()) {
      if (admit) {
        admit(assignment);
      }
      set_by_path(json, assignment);
    }
  }
  return json;
}

void check_flags(const Program& program, const std::vector<Flag>& flags, const Json& json) {
  for (const Flag& flag : flags) {
    const Json::json_pointer place = pointer(flag.key);
    if (json.contains(place)) {
      check_value(with_names(program, flag.option), json[place], dashed(flag));
    }
  }
}

std::string value_in(const Words& words, const Command& command, const std::string& flag) {
  const std::string equals = "--" + flag + "=";
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--" + flag && i + 1 < words.size()) {
      return words[i + 1];
    }
    if (words[i].rfind(equals, 0) == 0) {
      return words[i].substr(equals.size());
    }
  }
  return is_word(words) && command.positional && command.positional->name == flag ? words.front()
                                                                                  : "";
}

std::vector<Option> flattened(const std::vector<Option>& options, const std::string& prefix) {
  std::vector<Option> flat;
  for (Option option : options) {
    option.key = prefix + (prefix.empty() ? "" : ".") + option.key;
    const bool is_expression = option.value.contains("choice") || option.value.contains("op");
    const bool is_nested = option.value.is_object() && !option.value.empty() && !is_expression;
    if (!is_nested) {
      flat.push_back(option);
      continue;
    }
    const auto inner =
        flattened(option.inner.empty() ? listed(option.value) : option.inner, option.key);
    flat.insert(flat.end(), inner.begin(), inner.end());
  }
  return flat;
}

std::string help_of(const Program& program, const Command& command, const Words& words) {
  std::ostringstream text;
  text << "retia " << command.name << ": " << command.summary << "\n\nusage: retia "
       << command.name;
  if (command.positional) {
    text << " [" << command.positional->placeholder << ']';
  }
  text << " [options]\n\n" << described(&program, command.flags);
  std::ostringstream entries;
  for (const Section& section : command.sections(program, words)) {
    if (!section.hint.empty()) {
      entries << "  " << section.name << ".KEY: " << section.hint << '\n';
    }
    for (const Option& option : flattened(section.options, section.name)) {
      const bool has_flag = std::any_of(command.flags.begin(), command.flags.end(),
                                        [&](const Flag& flag) { return flag.key == option.key; });
      if (has_flag) {
        continue;
      }
      std::string line =
          "  " + option.key + "=" +
          (option.value.is_string() ? option.value.get<std::string>() : option.value.dump());
      Option limits = option;
      limits.value = nullptr;  // shown already
      const std::string meaning = told(with_names(program, limits));
      if (!meaning.empty()) {
        line.resize(std::max(line.size() + 2, kEntryWidth), ' ');
      }
      entries << line << meaning << '\n';
    }
  }
  if (!entries.str().empty()) {
    text << "\nentries of the configuration, with their defaults, for --set:\n" << entries.str();
  }
  return text.str();
}

void CommandTable::add(Command command) {
  for (const std::string& name : names()) {
    TORCH_CHECK(name != command.name, "command '", name,
                "' is in the table already: give the new one another name");
  }
  commands_.push_back(std::move(command));
}

const Command* CommandTable::find(const Words& words) const {
  for (const Command& command : commands_) {
    const bool has_two = command.name.find(' ') != command.name.npos;
    const std::string name =
        words.empty() ? "" : words[0] + (has_two && words.size() > 1 ? " " + words[1] : "");
    if (name == command.name) {
      return &command;
    }
  }
  return nullptr;
}

std::vector<std::string> CommandTable::forms(const std::string& word) const {
  std::vector<std::string> found;
  for (const Command& command : commands_) {
    if (command.name.rfind(word + " ", 0) == 0) {
      found.push_back(command.name);
    }
  }
  return found;
}

std::vector<std::string> CommandTable::names() const {
  std::vector<std::string> names;
  for (const Command& command : commands_) {
    names.push_back(command.name);
  }
  return names;
}

}  // namespace retia
