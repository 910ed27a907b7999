#pragma once

#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "retia/engine/base/json.h"
#include "retia/engine/io/options.h"

namespace retia {

class Program;

/// The words of a command line, one string each.
using Words = std::vector<std::string>;

/// An option of the command line: `--name VALUE` sets `key` of the configuration.
struct Flag {
  std::string name;         ///< name without the dashes
  std::string key;          ///< path in JSON: "trainer.epochs"
  std::string placeholder;  ///< value in help: NAME, FILE, DIR, N, VALUE; empty: no value
  Option option;            ///< meaning, range and default of the entry
};

/// Entries of the configuration that `--set` takes, for help.
struct Section {
  std::string name;             ///< first part of the keys: "algorithm"
  std::vector<Option> options;  ///< options of the entry that the words name
  std::string hint = {};        ///< says how to see the options; empty: all are here
};

/// The work of a command whose words were right. Returns the exit code.
using Work = std::function<int()>;

/// A command of the program. Help, completion and the reading of words all come from this.
struct Command {
  std::string name;                     ///< one word, or two: "bench kernels"
  std::string summary;                  ///< one line for the list of commands
  std::vector<Flag> flags = {};         ///< options on the command line, besides --config and --set
  std::optional<Flag> positional = {};  ///< flag whose value a first word without dashes is
  /// Returns the entries that --set takes, given the words after the name.
  std::function<std::vector<Section>(const Program&, const Words&)> sections = {};
  /// Checks the words after the name. An exception from `read` is bad usage, one from the
  /// work a failure.
  std::function<Work(const Program&, const Words&)> read = {};
};

/// Reads the words of a command: the file of --config, overridden by flags, then by --set.
/// `admit`: throws where --set may not change a section. Throws one line, naming the nearest known
/// name, where something is wrong.
Json read_words(const Command& command, const Words& words,
                const std::function<void(const std::string& assignment)>& admit = nullptr);

/// Throws, naming the flag, where a value of `json` is out of its range or not in its table.
void check_flags(const Program& program, const std::vector<Flag>& flags, const Json& json);

/// Returns the flags for the options of a struct; options that hold objects or lists have none.
std::vector<Flag> flags_of(const std::vector<Option>& options);

/// Returns the value of `flag` among `words`, whatever else they hold; empty: none.
std::string value_in(const Words& words, const Command& command, const std::string& flag);

/// Returns the help of a command: its options, with the names in the program's tables, and the
/// entries that --set takes.
std::string help_of(const Program& program, const Command& command, const Words& words);

/// Returns the options of a section with their keys, inner options included: "augment.flip".
std::vector<Option> flattened(const std::vector<Option>& options, const std::string& prefix);

/// The optional parts of a command that has options of its own.
template <class Options>
struct CommandExtras {
  void (*check)(const Program&, const Options&) = nullptr;  ///< throws on bad usage
  std::string positional = {};  ///< key that a first word without dashes sets; empty: none
};

/// Makes a command of a function and its options, a struct that is Declared or plain.
template <class Options>
Command make_command(std::string name, std::string summary,
                     int (*run)(const Program&, const Options&),
                     CommandExtras<std::type_identity_t<Options>> extras = {}) {
  const std::vector<Option> options = options_of<Options>();
  Command made{.name = std::move(name), .summary = std::move(summary), .flags = flags_of(options)};
  for (const Flag& flag : made.flags) {
    if (flag.key == extras.positional) {
      made.positional = flag;
    }
  }
  made.sections = [options](const Program&, const Words&) {
    return std::vector<Section>{{.name = "", .options = options}};
  };
  made.read = [made, run, check = extras.check](const Program& program,
                                                const Words& words) -> Work {
    const Json given = read_words(made, words);
    check_options(given, Json(Options{}), made.name);
    check_flags(program, made.flags, given);
    const auto read = options_from_json<Options>(given, made.name);
    if (check != nullptr) {
      check(program, read);
    }
    return [&program, run, read] { return run(program, read); };
  };
  return made;
}

/// The commands of a program by name.
class CommandTable {
 public:
  /// Adds a command. Throws where the name is taken.
  void add(Command command);
  /// Adds a command with options of its own: `int count(const Program&, const CountOptions&)`.
  template <class Options>
  void add(const std::string& name, const std::string& summary,
           int (*run)(const Program&, const Options&),
           CommandExtras<std::type_identity_t<Options>> extras = {}) {
    add(make_command(name, summary, run, extras));
  }

  /// Returns all commands, in the order of help.
  const std::vector<Command>& all() const { return commands_; }
  /// Returns the command that the first one or two words name; null: none.
  const Command* find(const Words& words) const;
  /// Returns the names of the commands that begin with `word` and a space.
  std::vector<std::string> forms(const std::string& word) const;
  /// Returns all names.
  std::vector<std::string> names() const;

 private:
  std::vector<Command> commands_;
};

/// Returns a table of the program's commands.
CommandTable standard_commands();

}  // namespace retia
