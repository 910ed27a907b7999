#pragma once

#include <string>
#include <vector>

#include "retia/engine/experiment/experiment.h"
#include "retia/engine/json.h"
#include "retia/trainers/data/data_sets.h"
#include "retia/trainers/trainer.h"

namespace retia {

class Program;
struct Command;

/// Options that apply to every command.
struct RunOptions {
  std::string out = "";            ///< run directory
  std::string architecture = "";   ///< an architecture.json to use
  std::string checkpoint = "";     ///< run directory from which weights are taken
  std::string device = "cpu";      ///< cpu or cuda
  std::string precision = "fp32";  ///< fp32, fp64, bf16 or fp16
  std::string executor = "fused";  ///< reference or fused
  int64_t threads = 0;             ///< threads of one operation; 0: all cores
  int64_t seed = 0;                ///< seed of weights, data order, split and search
  std::string format = "text";     ///< output format: see the command
  int64_t k = 10;                  ///< number of best trials to show
  std::string exported = "";       ///< folder for the models of the best trials; empty: none
  double time_limit = 0;  ///< seconds after which the run stops, to be resumed; 0: no limit
  bool profile = false;   ///< show costs
  bool plan = false;      ///< show fused operations
  bool debug = false;     ///< run one trial and write nothing
  bool resume = false;    ///< continue the run in `out`
  bool quiet = false;     ///< show no progress
  double timeout = 300;   ///< seconds that ranks wait for each other, > 0
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RunOptions, out, architecture, checkpoint, device,
                                                precision, executor, threads, seed, format, k,
                                                exported, time_limit, profile, plan, debug, resume,
                                                quiet, timeout)

/// Options of `retia profile`; other commands use `table` too.
struct ProfileOptions {
  std::string table = "";                        ///< file of latencies
  bool force = false;                            ///< measure again what the table already has
  int64_t batch = 1, warmup = 10, repeats = 50;  ///< see LatencyMeterOptions
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ProfileOptions, table, force, batch, warmup,
                                                repeats)

/// The complete configuration of a command: defaults, overridden by the file of --config, then by
/// options, then by --set.
struct Config {
  std::string command;
  std::string space;      ///< name of a space, or file with a space
  Json space_options;     ///< complete, where the space has a name
  std::string algorithm;  ///< algorithm of a search
  Json algorithm_options;
  DataOptions data;
  TrainerOptions trainer;
  SgdOptions weight_optimizer;
  RunOptions run;
  std::string strategy;  ///< strategy of an exploration
  Json strategy_options;
  std::string evaluator;
  Json evaluator_options;
  ExperimentOptions experiment;
  std::string runner = "inline";  ///< runner of the trials of an exploration
  Json runner_options;
  ProfileOptions profile;

  /// Returns the whole configuration, defaults included, as it is written into the run directory.
  Json resolved() const;
};

/// One option of the command line: `--name VALUE` sets `key` of the configuration.
struct OptionRow {
  const char* name;
  const char* key;
  enum class Type { Text, Number, Flag } type;
  const char* help;
};

/// Returns all options that commands may accept.
const std::vector<OptionRow>& shared_options();

/// Reads the command line `words` (without program and command) for `command`, which takes its
/// accepted options, --config and --set. Throws one line, naming the nearest known name, where
/// something is wrong or missing.
Config read_config(const Program& program, const Command& command,
                   const std::vector<std::string>& words);

/// Returns the help text for the options in `accepted`.
std::string describe_options(const std::vector<std::string>& accepted);

}  // namespace retia
