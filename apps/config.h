#pragma once

#include <string>
#include <vector>

#include "engine/experiment/experiment.h"
#include "engine/json.h"
#include "trainers/data/data_sets.h"
#include "trainers/trainer.h"

namespace retia {

class Program;
struct Command;

/// How a command runs, whatever it does.
struct RunOptions {
  std::string out = "";            ///< the run directory
  std::string architecture = "";   ///< an architecture.json to use
  std::string checkpoint = "";     ///< a run directory to take weights from
  std::string device = "cpu";      ///< cpu or cuda
  std::string precision = "fp32";  ///< fp32, fp64, bf16 or fp16
  std::string executor = "fused";  ///< how graphs are run
  int64_t threads = 0;             ///< of one operation; 0: all cores
  int64_t seed = 0;                ///< of weights, data order, split and search
  std::string format = "text";     ///< of what is shown: see the command
  int64_t k = 10;                  ///< how many of the best trials are shown
  std::string exported = "";       ///< a folder for their models; empty: none
  double time_limit = 0;           ///< seconds after which it ends to be resumed; 0: none
  bool profile = false;            ///< show costs
  bool plan = false;               ///< show what is fused
  bool debug = false;              ///< one trial, and nothing written
  bool resume = false;             ///< continue what `out` holds
  bool quiet = false;              ///< no progress
  double timeout = 300;            ///< seconds that ranks wait for each other, > 0
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RunOptions, out, architecture, checkpoint, device,
                                                precision, executor, threads, seed, format, k,
                                                exported, time_limit, profile, plan, debug, resume,
                                                quiet, timeout)

/// What `retia profile` measures, and what it writes; the table is also what others read.
struct ProfileOptions {
  std::string table = "";                        ///< file of latencies
  bool force = false;                            ///< measure again what it holds
  int64_t batch = 1, warmup = 10, repeats = 50;  ///< see LatencyMeterOptions
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ProfileOptions, table, force, batch, warmup,
                                                repeats)

/// All that a command was told: defaults, then the file of --config, then options, then --set.
struct Config {
  std::string command;
  std::string space;      ///< name of a space, or a file with one
  Json space_options;     ///< all of them where the space has a name
  std::string algorithm;  ///< of a search
  Json algorithm_options;
  DataOptions data;
  TrainerOptions trainer;
  SgdOptions weight_optimizer;
  RunOptions run;
  std::string strategy;  ///< of an exploration
  Json strategy_options;
  std::string evaluator;
  Json evaluator_options;
  ExperimentOptions experiment;
  std::string runner = "inline";  ///< where trials of an exploration run
  Json runner_options;
  ProfileOptions profile;

  /// Everything with its defaults, as it is written into the run directory.
  Json resolved() const;
};

/// One option of the command line: `--name VALUE` sets `key` of the configuration.
struct OptionRow {
  const char* name;
  const char* key;
  enum class Type { Text, Number, Flag } type;
  const char* help;
};

/// All options that commands share.
const std::vector<OptionRow>& shared_options();

/// Reads the command line `words` (without program and command) for `command`, which takes its
/// accepted options, --config and --set. Throws one line on whatever is wrong or missing, naming
/// the nearest known name.
Config read_config(const Program& program, const Command& command,
                   const std::vector<std::string>& words);

/// The help text on those options.
std::string describe_options(const std::vector<std::string>& accepted);

}  // namespace retia
