#pragma once

#include <string>
#include <vector>

#include "retia/apps/command.h"
#include "retia/engine/experiment/experiment.h"
#include "retia/engine/io/option.h"
#include "retia/engine/json.h"
#include "retia/trainers/data/data_sets.h"
#include "retia/trainers/trainer.h"

namespace retia {

class Program;

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
inline std::vector<Option> declared(RunOptions& o) {
  return {
      option("out", o.out, "run directory: new, empty, or with --resume"),
      option("architecture", o.architecture, "architecture as JSON"),
      option("checkpoint", o.checkpoint, "run directory to take weights from"),
      option("device", o.device, Names{{"cpu", "cuda"}}, "device"),
      option("precision", o.precision, Names{{"fp32", "fp64", "bf16", "fp16"}},
             "precision; bf16 and (on a GPU) fp16: mixed precision"),
      option("executor", o.executor, Names{{"reference", "fused"}}, "executor of graphs"),
      option("threads", o.threads, Range{0, 4096}, "threads of one operation; 0: all cores"),
      option("seed", o.seed, Range{0}, "seed of weights, data order, split and search"),
      option("format", o.format, "output format"),
      option("k", o.k, Range{1, 1e9}, "number of best trials"),
      option("exported", o.exported, "folder for the models of the best trials, one each"),
      option("time_limit", o.time_limit, Range{0},
             "seconds, then the run is saved and ends as on Ctrl-C; 0: none"),
      option("profile", o.profile, "costs of each operation of one architecture"),
      option("plan", o.plan, "what the fused executor makes of the search network"),
      option("debug", o.debug, "one trial in this process, and nothing written"),
      option("resume", o.resume, "continue what --out holds, or start there"),
      option("quiet", o.quiet, "no progress"),
      option("timeout", o.timeout, "seconds that ranks wait for each other"),
  };
}

/// Options of `retia profile`; other commands use `table` too.
struct ProfileOptions {
  std::string table = "";                        ///< file of latencies
  bool force = false;                            ///< measure again what the table already has
  int64_t batch = 1, warmup = 10, repeats = 50;  ///< see LatencyMeterOptions
};
inline std::vector<Option> declared(ProfileOptions& o) {
  return {
      option("table", o.table, "latency table (JSON)"),
      option("force", o.force, "measure again what the table holds"),
      option("batch", o.batch, Range{1, 1e6}, "samples of a measured pass"),
      option("warmup", o.warmup, Range{0, 1e6}, "passes before the measured ones"),
      option("repeats", o.repeats, Range{1, 1e6}, "measured passes, whose median counts"),
  };
}

/// The complete configuration of a command: defaults, overridden by the file of --config, then by
/// options, then by --set.
struct Config {
  std::string command;
  std::vector<std::string> sections;  ///< that this command reads and others do not
  std::string space;                  ///< name of a space, or file with a space
  Json space_options;                 ///< complete, where the space has a name
  std::string algorithm;              ///< algorithm of a search
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

/// A command that reads the configuration.
struct ConfiguredCommand {
  std::string name, summary;
  std::string positional = {};          ///< key that a first word without dashes sets; empty: none
  std::vector<std::string> flags = {};  ///< names in shared_flags()
  /// Flags that must be given, in addition to --space.
  std::vector<std::string> required = {};
  /// Sections of the configuration that this command reads and others do not: algorithm, strategy,
  /// evaluator, experiment, runner, profile.
  std::vector<std::string> sections = {};
  int (*run)(const Program&, const Config&) = nullptr;
};

/// Returns the command of a row.
Command configured(const ConfiguredCommand& row);

/// Returns all flags that commands with a configuration may have.
std::vector<Flag> shared_flags();

/// Reads the words after the name of a command. Throws one line, naming the nearest known name,
/// where something is wrong or missing.
Config read_config(const Program& program, const ConfiguredCommand& row, const Command& command,
                   const Words& words);

}  // namespace retia
