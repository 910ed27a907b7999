#pragma once

#include <string>
#include <vector>

#include "retia/apps/command.h"
#include "retia/apps/config.h"
#include "retia/apps/runners.h"
#include "retia/engine/operations/table.h"
#include "retia/models/spaces.h"
#include "retia/strategies/strategies.h"
#include "retia/trainers/algorithms.h"
#include "retia/trainers/data/data_sets.h"
#include "retia/trainers/evaluators.h"

namespace retia {

/// The exit codes of the program. kNotRead: the work is done, but whoever read its output through a
/// pipe has gone, as shells say it of a process that SIGPIPE ended.
enum ExitCode { kDone = 0, kFailed = 1, kBadUsage = 2, kInterrupted = 130, kNotRead = 141 };

/// The `retia` program as an object. A user's own binary adds to its tables and keeps every
/// command:
///   retia::Program program;
///   program.spaces.add("mine", my_space);
///   program.commands.add("count", "counts the models of a space", count);
///   return program.run(argc, argv);
class Program {
 public:
  /// Fills the tables with everything that the `retia` program has.
  Program();

  OperationTable operations;  ///< operations that graphs in files may use
  SpaceTable spaces;          ///< model spaces, for --space
  AlgorithmTable algorithms;  ///< one-shot algorithms, for --algorithm
  StrategyTable strategies;   ///< strategies of explorations, for --strategy
  EvaluatorTable evaluators;  ///< evaluators of trials, for --evaluator
  RunnerTable runners;        ///< runners of trials, for --runner
  DataSets data_sets;         ///< data sets, for --data
  CommandTable commands;      ///< commands: `retia NAME`
  /// Admits the architectures that `explore` may try, in addition to its cost window; null: all.
  ir::Filter admits;

  /// Runs the command that `argv` names. Errors are one line on stderr, also where a result could
  /// not be printed. Returns the exit code. Meanwhile the process is set up by ProcessSetup.
  int run(int argc, char** argv) const;

  /// Returns the names in a table: `table` is space, algorithm, strategy, evaluator, runner or data
  /// set.
  std::vector<std::string> names(const std::string& table) const;

 private:
  /// Runs the command that `words` name.
  int obey(Words words) const;
  /// Answers words that name no command, or only the first word of some.
  int other_word(const Words& words) const;
};

/// Keeps the memory that this process frees from now on, instead of returning its pages to the
/// system. A training step frees its tensors and allocates as many again; pages that the system
/// takes back are cleared anew, which takes up to a tenth of a search step. The `retia` program
/// calls this function first; a program of your own may.
void keep_freed_memory();

/// Returns the message of an error in one line, for users.
std::string message_of(const std::exception& error);

}  // namespace retia
