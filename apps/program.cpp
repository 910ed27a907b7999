#include "retia/apps/program.h"

#include <c10/util/Exception.h>
#include <malloc.h>

#include <algorithm>
#include <iostream>
#include <map>

#include "retia/apps/version.h"
#include "retia/engine/base/suggest.h"
#include "retia/engine/io/failed_write.h"
#include "retia/engine/io/printed.h"
#include "retia/engine/io/process_setup.h"
#include "retia/models/operations.h"

namespace retia {
namespace {

/// The tables whose names help lists, and how several entries are called.
constexpr std::pair<const char*, const char*> kTables[] = {
    {"space", "spaces"},         {"algorithm", "algorithms"}, {"strategy", "strategies"},
    {"evaluator", "evaluators"}, {"runner", "runners"},       {"data set", "data sets"}};

std::string listed(const std::vector<std::string>& names, const std::string& separator) {
  std::string text;
  for (const std::string& name : names) {
    text += (text.empty() ? "" : separator) + name;
  }
  return text;
}

void print_rows(const CommandTable& commands, const std::string& first_word) {
  size_t width = 0;
  for (const std::string& name : commands.names()) {
    width = std::max(width, name.size() + 2);
  }
  for (const Command& command : commands.all()) {
    if (command.name.rfind(first_word, 0) == 0) {
      std::cout << "  " << command.name << std::string(width - command.name.size(), ' ')
                << command.summary << '\n';
    }
  }
}

void print_help(const Program& program) {
  std::cout << "retia: trains weight-sharing supernets and searches neural architectures\n\n"
               "usage: retia COMMAND [options]\n\n";
  print_rows(program.commands, "");
  std::cout << '\n';
  for (const auto& [table, title] : kTables) {
    std::cout << title << ": " << listed(program.names(table), ", ") << '\n';
  }
  std::cout << "\n`retia help COMMAND` lists the options of a command; with --space NAME, "
               "--algorithm NAME\nand the like also those of the entry. `retia --version` tells "
               "what this program is.\n";
}

bool asks_for_help(const Words& words) {
  return std::any_of(words.begin(), words.end(),
                     [](const std::string& word) { return word == "--help" || word == "-h"; });
}

int fail(const std::string& line, ExitCode code) {
  std::cerr << "retia: " << line << std::endl;
  return code;
}

/// Returns the exit code of a process whose work ended with `code`: a result that was not written
/// counts as not written.
int code_with_output(int code) {
  const PrintedEnd end = finish_printing();
  if (end.fate == Printed::Written || code != kDone) {
    return code;
  }
  return end.fate == Printed::ReaderGone
             ? static_cast<int>(kNotRead)
             : fail("standard output: cannot be written: " + reason_and_remedy(end.failure),
                    kFailed);
}

}  // namespace

void keep_freed_memory() {
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, -1);
}

std::string message_of(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  std::string text = torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
  // Errors of nlohmann::json open with a tag that tells a user nothing.
  const size_t tag = text.find("[json.exception.");
  if (tag != text.npos) {
    text.erase(tag, text.find("] ", tag) + 2 - tag);
  }
  return text.substr(0, text.find('\n'));
}

Program::Program()
    : operations(standard_operations()),
      spaces(standard_spaces()),
      algorithms(standard_algorithms()),
      strategies(standard_strategies()),
      evaluators(standard_evaluators()),
      runners(standard_runners()),
      data_sets(standard_data_sets()),
      commands(standard_commands()) {
  add_model_operations(operations);
}

std::vector<std::string> Program::names(const std::string& table) const {
  const std::map<std::string, std::vector<std::string>> all = {
      {"space", spaces.names()},        {"algorithm", algorithms.names()},
      {"strategy", strategies.names()}, {"evaluator", evaluators.names()},
      {"runner", runners.names()},      {"data set", data_sets.names()}};
  return all.at(table);
}

int Program::run(int argc, char** argv) const {
  const ProcessSetup setup;
  return code_with_output(obey({argv + 1, argv + argc}));
}

int Program::obey(Words words) const {
  if (!words.empty() && words.front() == "help") {
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  if (words.empty() || words.front() == "--help" || words.front() == "-h") {
    print_help(*this);
    return words.empty() ? kBadUsage : kDone;
  }
  if (words.front() == "--version") {
    std::cout << version();
    return kDone;
  }
  const Command* command = commands.find(words);
  if (command == nullptr) {
    return other_word(words);
  }
  const auto n_words = std::count(command->name.begin(), command->name.end(), ' ') + 1;
  words.erase(words.begin(), words.begin() + n_words);
  Work work;
  try {
    if (asks_for_help(words)) {
      std::cout << help_of(*this, *command, words);
      return kDone;
    }
    work = command->read(*this, words);
  } catch (const std::exception& error) {
    return fail(message_of(error), kBadUsage);
  }
  try {
    return work();
  } catch (const std::exception& error) {
    return fail(message_of(error), kFailed);
  }
}

int Program::other_word(const Words& words) const {
  const std::string& first = words.front();
  const std::vector<std::string> forms = commands.forms(first);
  if (forms.empty()) {
    return fail("unknown command '" + first + "'" + suggestion(first, commands.names()), kBadUsage);
  }
  if (asks_for_help(words)) {
    std::cout << "usage: retia " << first << " …\n\n";
    print_rows(commands, first + " ");
    return kDone;
  }
  const std::string given = words.size() > 1 ? first + " " + words[1] : "";
  return fail(given.empty() ? first + ": expected `retia " + listed(forms, "` or `retia ") + "`"
                            : "unknown command '" + given + "'" + suggestion(given, forms),
              kBadUsage);
}

}  // namespace retia
