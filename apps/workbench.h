#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <optional>
#include <string>

#include "retia/apps/program.h"
#include "retia/apps/run_observer.h"
#include "retia/engine/distributed/ranks.h"
#include "retia/engine/io/run_directory.h"
#include "retia/engine/io/stop_signal.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/trainers/data/split_record.h"

namespace retia {

/// The number of training batches that give a model of inherited weights its batch statistics (see
/// score.h).
inline constexpr int64_t kRecalibrationBatches = 20;

/// The device, the data and the resulting task: the common start of every command that trains or
/// scores.
struct Workbench {
  at::Device device;       ///< device on which networks run
  at::ScalarType dtype;    ///< dtype in which models compute (see precision.h)
  DataSplits data;         ///< training and test samples
  Task task;               ///< sizes that the data require of a model
  Ranks* ranks = nullptr;  ///< ranks that train together; null: this process alone

  /// Returns batches for training: shuffled, augmented, and this rank's share.
  Batches training(const Config& config, const std::vector<int64_t>& indices, LastBatch last) const;
  /// Returns batches for scoring: all samples, in order.
  Batches scoring(const Config& config, const Dataset& set,
                  const std::vector<int64_t>& indices) const;
  /// Returns batches for scoring with all samples of `set`.
  Batches scoring(const Config& config, const Dataset& set) const;
};

/// Returns the sizes that a data set requires of a model.
Task task_of(const Dataset& set);
/// Throws where a data set holds numbers to predict, which `command` does not train models to do.
void check_has_classes(const Dataset& set, const std::string& command);

/// Sets the number of threads and the seed, and opens the device. Throws where several ranks are
/// different programs, or were given different configurations.
at::Device open_device(const Config& config, Ranks* ranks);

/// Calls open_device() and loads the data. Throws where the data differ between ranks.
Workbench open_workbench(const Program& program, const Config& config, Ranks* ranks = nullptr);

/// Returns the space of the configuration as it is searched.
ir::Space search_space(const Program& program, const Config& config, const Task& task);
/// Returns the search space, with the value choices in the evaluator's options added as settings.
ir::Space explored_space(const Program& program, const Config& config, const Task& task);
/// Returns a function that makes the supernet with some options of the space changed; null where
/// the space is a file.
std::function<ir::Graph(const Json&)> search_space_with(const Program& program,
                                                        const Config& config, const Task& task);
/// Returns the space of the configuration in which what a search has found is trained.
ir::Space evaluation_space(const Program& program, const Config& config, const Task& task);

/// Returns the space of `graph`, which a run with configuration `config` has written. Where the
/// graph has placeholders, the graph mutators come from the table of spaces.
ir::Space written_space(const Program& program, const Json& config, ir::Graph graph,
                        const Task& task);

/// Returns how a run with configuration `config`, of a search or an exploration, names its space.
SpaceReference written_reference(const Json& config);

/// Throws where `graph`, read from `source`, does not take the samples of `task` or has another
/// number of outputs.
void check_suits(const ir::Graph& graph, const Task& task, const std::string& source);

/// Returns the function that names architectures in tables of scores: the space's own, or, where it
/// has none, the choices as JSON.
std::function<std::string(const Architecture&)> key_of(const Program& program,
                                                       const std::string& space,
                                                       std::vector<Mutable> mutables);

/// Makes the network of `graph` on the workbench's device.
Network make_network(const ir::Graph& graph, const Config& config, const Workbench& bench);

/// Returns whether the directory holds a finished run, as the first rank found it.
bool is_finished(const std::optional<RunDirectory>& directory, Ranks& ranks);

/// The weights of a trained supernet, or of a model that is being retrained.
struct TrainedSupernet {
  std::string command;       ///< command of the run
  SpaceReference reference;  ///< name and options of its space
  ir::Space space;           ///< space that the run trained
  NamedTensors weights;      ///< parameters and buffers, by name
  /// Split of its samples; none: it kept none.
  std::optional<SplitRecord> split = {};
  std::string digest = {};  ///< digest of the weights
  /// Data on which it was trained, as in checkpoints; null: an older version kept nothing.
  Json data = {};
};

/// Reads the run directory of --checkpoint: of a retraining that held out samples the weights with
/// the best validation score, else the last ones. Throws where it belongs to another space, does not
/// suit the data of `task`, is damaged, or has no checkpoint yet.
TrainedSupernet read_supernet(const Program& program, const Config& config, const Task& task);

/// Shows the progress of an exploration on standard error, one line per trial, at most ten per
/// second. Stops on Ctrl-C, and where the folder of the exploration was removed.
class TrialObserver final : public ExperimentObserver {
 public:
  /// `limits`: limits of the exploration, for the remaining time. `evaluator`: its first objective
  /// is shown. `directory`: of the exploration, must outlive this object; null: there is none.
  TrialObserver(const RunOptions& options, const ExperimentOptions& limits,
                const Evaluator& evaluator, const RunDirectory* directory = nullptr);
  /// Prints the number of trials of earlier runs; called once, before any trial begins.
  void begin(const Experiment& experiment);
  void on_begin(const Proposal&) override { ++n_running_; }
  void on_end(const Trial& trial) override;
  bool stop_requested() override;

 private:
  std::string remaining(double elapsed) const;

  StopSignal stop_;
  const RunDirectory* directory_;
  bool quiet_;
  ExperimentOptions limits_;
  Objective objective_;
  std::optional<Trial> best_;
  int64_t n_before_ = 0, n_trials_ = 0, n_running_ = 0;
  double seconds_before_ = 0, started_, shown_ = -1;
};

/// Returns the value of an objective for users: accuracy in per cent, others after their name.
std::string shown(const Objective& objective, double value);
/// Returns shown(), with the direction of an objective other than accuracy: "loss 0.31 (minimise)".
std::string shown_with_direction(const Objective& objective, double value);

/// Makes the evaluator of the configuration, with its additional cost objectives.
std::unique_ptr<Evaluator> make_evaluator(const Program& program, const Config& config,
                                          const Workbench& bench, const ir::Space& space);

/// Returns the checkpoint folder of one stage of a search.
std::filesystem::path checkpoints_of(const std::filesystem::path& run, int64_t stage);
/// Returns whether a run has saved a checkpoint.
bool holds_checkpoints(const std::filesystem::path& run);
/// Returns the checkpoint folder of the last stage that has begun.
std::filesystem::path newest_checkpoints(const std::filesystem::path& run);

/// Trains to the end or until stopped; resumes from the newest checkpoint of the directory, if any.
/// Prints how to resume when stopped. `stage`: the stage of a search in stages, which have separate
/// checkpoints. All ranks resume from the checkpoint that the first rank reads; their number may
/// differ from that of the saved run.
Ending train(Trainer& trainer, const std::optional<RunDirectory>& directory, RunObserver& observer,
             const Config& config, Ranks& ranks, int64_t stage = 0);

}  // namespace retia
