#pragma once

#include <string>
#include <vector>

#include "retia/apps/command.h"
#include "retia/engine/base/json.h"
#include "retia/engine/experiment/experiment.h"
#include "retia/engine/io/option.h"
#include "retia/trainers/data/data_sets.h"
#include "retia/trainers/trainer.h"

namespace retia {

class Program;

/// The options that several commands have. Options of one command are a struct in its file.
struct RunOptions {
  std::string out = "";            ///< run directory
  std::string architecture = "";   ///< an architecture.json to use
  std::string checkpoint = "";     ///< run directory from which weights are taken
  std::string device = "cpu";      ///< cpu or cuda
  std::string precision = "fp32";  ///< fp32, fp64, bf16 or fp16
  std::string executor = "fused";  ///< reference or fused
  int64_t threads = 0;             ///< threads of one operation; 0: all cores
  int64_t seed = 0;                ///< seed of weights, data order, split and search
  double time_limit = 0;     ///< seconds after which the run stops, to be resumed; 0: no limit
  bool resume = false;       ///< continue the run in `out`
  bool quiet = false;        ///< show no progress
  double timeout = 300;      ///< seconds that ranks wait for each other, > 0
  bool require_lock = true;  ///< refuse a run directory whose file system has no locks
  std::string tag = "";      ///< words that the user gives a run, separated by commas
  std::string note = "";     ///< sentence that the user gives a run
  bool extend = false;       ///< train a resumed run for more epochs than it began with
  /// Options that may differ when a run is resumed, separated by commas.
  std::string allow_change = "";
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
      option("time_limit", o.time_limit, Range{0},
             "seconds, then the run is saved and ends as on Ctrl-C; 0: none"),
      option("resume", o.resume, "continue what --out holds, or start there"),
      option("quiet", o.quiet, "no progress"),
      option("tag", o.tag, "words kept with the run, separated by commas"),
      option("note", o.note, "sentence kept with the run"),
      option("extend", o.extend, "with --resume: train for more epochs than the run began with"),
      option("allow_change", o.allow_change,
             "with --resume: options that may differ, separated by commas"),
      option("timeout", o.timeout, Range::above(0), "seconds that ranks wait for each other"),
      option("require_lock", o.require_lock, "refuse an --out whose file system has no locks"),
  };
}

/// Options of `retia profile`; other commands use `table` too.
struct ProfileOptions {
  std::string table = "";  ///< file of latencies
  bool force = false;      ///< measure again what the table already has
  int64_t batch = 1;
  int64_t warmup = 10;
  int64_t repeats = 50;
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
  std::string command;                ///< name of the command
  std::vector<std::string> sections;  ///< ConfiguredCommand::sections of the command
  std::string space;                  ///< name of a space, or file with a space
  Json space_options;                 ///< complete, where the space has a name
  std::string algorithm;              ///< algorithm of a search
  Json algorithm_options;             ///< options of the algorithm, complete
  DataOptions data;                   ///< section `data`
  bool names_data = true;             ///< whether the data set was named, rather than the default
  TrainerOptions trainer;             ///< section `trainer`
  SgdOptions weight_optimizer;        ///< section `weight_optimizer`: SGD, which trains the weights
  RunOptions run;                     ///< section `run`
  Json own = Json::object();          ///< values given for options that the command has alone
  std::string strategy;               ///< strategy of an exploration
  Json strategy_options;              ///< options of the strategy, complete
  std::string evaluator;              ///< evaluator of the trials of an exploration
  Json evaluator_options;             ///< options of the evaluator, complete
  ExperimentOptions experiment;       ///< limits of an exploration
  std::string runner = "inline";      ///< runner of the trials of an exploration
  Json runner_options;                ///< options of the runner, complete
  ProfileOptions profile;             ///< section `profile`
  std::vector<std::string> words = {};  ///< command line, without the program
  /// Lines on options that were given otherwise than in the files that the command line names.
  std::vector<std::string> differences = {};

  /// Returns the whole configuration, defaults included, as it is written into the run directory.
  Json resolved() const;
};

/// A command that reads the configuration.
struct ConfiguredCommand {
  std::string name;                     ///< one word
  std::string summary;                  ///< one line for the list of commands
  std::string positional = {};          ///< key that a first word without dashes sets; empty: none
  std::vector<std::string> flags = {};  ///< names in shared_flags()
  /// Flags that must be given, in addition to --space.
  std::vector<std::string> required = {};
  /// Sections of the configuration that this command reads and others do not: algorithm, strategy,
  /// evaluator, experiment, runner, profile.
  std::vector<std::string> sections = {};
};

/// Returns the command of a row, whose work is `run`. `own`: the options that this command has
/// alone; they are entries of the section `run`.
Command configured(const ConfiguredCommand& row, const std::vector<Option>& own,
                   std::function<int(const Program&, const Config&)> run);

/// Returns the command of a row.
inline Command configured(const ConfiguredCommand& row, int (*run)(const Program&, const Config&)) {
  return configured(row, {}, run);
}

/// Returns the command of a row with options of its own, a struct that is Declared or plain.
template <class Options>
Command configured(const ConfiguredCommand& row,
                   int (*run)(const Program&, const Config&, const Options&)) {
  return configured(row, options_of<Options>(),
                    [run, name = row.name](const Program& program, const Config& config) {
                      return run(program, config, options_from_json<Options>(config.own, name));
                    });
}

/// Returns `names` and the flags of every command that keeps a run directory.
std::vector<std::string> with_run_flags(std::vector<std::string> names);

/// Returns `names` and the flags of every command that runs models.
std::vector<std::string> with_model_flags(std::vector<std::string> names);

/// Returns whether `--space` names a file with a graph.
bool is_space_file(const std::string& space);

/// Returns all flags that several commands have.
std::vector<Flag> shared_flags();

}  // namespace retia
