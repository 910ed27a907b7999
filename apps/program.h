#pragma once

#include <optional>
#include <string>
#include <vector>

#include "retia/apps/config.h"
#include "retia/apps/runners.h"
#include "retia/engine/operations/table.h"
#include "retia/models/spaces.h"
#include "retia/mutators/strategies.h"
#include "retia/trainers/algorithms.h"
#include "retia/trainers/data/data_sets.h"
#include "retia/trainers/evaluators.h"

namespace retia {

/// The exit codes of the program.
enum ExitCode { kDone = 0, kFailed = 1, kBadUsage = 2, kInterrupted = 130 };

/// The `retia` program as an object. A user's own binary adds to its tables and keeps every
/// command:
///   retia::Program program;
///   program.spaces.add("mine", my_space);
///   return program.run(argc, argv);
class Program {
 public:
  Program();

  OperationTable operations;
  SpaceTable spaces;
  AlgorithmTable algorithms;
  StrategyTable strategies;
  EvaluatorTable evaluators;
  RunnerTable runners;
  DataSets data_sets;
  /// Admits the architectures that `explore` may try, in addition to its cost window; null: all.
  ir::Filter admits;

  /// Runs the command that `argv` names. Errors are one line on stderr. Returns the exit code.
  int run(int argc, char** argv) const;
};

/// A subcommand.
struct Command {
  const char* name;
  const char* summary;
  const char* positional;  ///< configuration key set by a first word without dashes, or null
  std::vector<std::string> accepted;  ///< names in shared_options()
  /// Accepted options that must be given, in addition to the space.
  std::vector<std::string> required;
  int (*run)(const Program&, const Config&);
};

/// The commands, apart: their names are those that users give to functions of their own.
namespace commands {

int search(const Program& program, const Config& config);
int report(const Program& program, const Config& config);
int retrain(const Program& program, const Config& config);
int evaluate(const Program& program, const Config& config);
int explore(const Program& program, const Config& config);
int profile(const Program& program, const Config& config);
int rank(const Program& program, const Config& config);
int show(const Program& program, const Config& config);
int space(const Program& program, const Config& config);
int top(const Program& program, const Config& config);
int trial(const Program& program, const Config& config);

/// Runs `retia bench …`, which has its own flags.
int bench(const Program& program, const std::vector<std::string>& words);

}  // namespace commands

/// Runs `retia trial` in the forms that runners use: for a trial file, or as the fork server of
/// trials. Returns the exit code; none where `words` ask for something else.
std::optional<int> run_for_runner(const Program& program, const std::vector<std::string>& words);

/// Keeps pages that this process frees, for all that it does from now on. A step of training frees
/// what it has made and makes as much again; by default the pages go back to the system in between
/// and are cleared anew, which takes up to a tenth of a search step. The `retia` program calls it
/// first; a program of one's own may.
void keep_freed_memory();

/// Returns the message of an error in one line, for users.
std::string message_of(const std::exception& error);

}  // namespace retia
