#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/config.h"
#include "apps/runners.h"
#include "engine/operations/table.h"
#include "models/spaces.h"
#include "mutators/strategies.h"
#include "trainers/algorithms.h"
#include "trainers/data/data_sets.h"
#include "trainers/evaluators.h"

namespace retia {

/// What a program ends with.
enum ExitCode { kDone = 0, kFailed = 1, kBadUsage = 2, kInterrupted = 130 };

/// The `retia` program as an object: a user's own binary adds to the tables and has every command.
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
  /// Which architectures `explore` may try, beside its window of costs; null: all.
  ir::Filter admits;

  /// Runs the command that `argv` names. Errors are one line on stderr. Returns the exit code.
  int run(int argc, char** argv) const;
};

/// One subcommand.
struct Command {
  const char* name;
  const char* summary;
  const char* positional;             ///< configuration key that a first bare word sets, or null
  std::vector<std::string> accepted;  ///< names from shared_options()
  std::vector<std::string> required;  ///< those of them that must be given, beside the space
  int (*run)(const Program&, const Config&);
};

int search(const Program& program, const Config& config);
int retrain(const Program& program, const Config& config);
int evaluate(const Program& program, const Config& config);
int explore(const Program& program, const Config& config);
int profile(const Program& program, const Config& config);
int rank(const Program& program, const Config& config);
int show(const Program& program, const Config& config);
int space(const Program& program, const Config& config);
int top(const Program& program, const Config& config);
int trial(const Program& program, const Config& config);

/// `retia trial` as runners start it, for a file that they wrote or as the server that forks
/// trials; none: its words ask for something else. Returns the exit code.
std::optional<int> run_for_runner(const Program& program, const std::vector<std::string>& words);

/// What an error says, in one line for people.
std::string message_of(const std::exception& error);

/// `retia bench …`, which has flags of its own.
int bench(const Program& program, const std::vector<std::string>& words);

}  // namespace retia
