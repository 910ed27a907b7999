#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <optional>
#include <string>

#include "apps/program.h"
#include "engine/io/metrics.h"
#include "engine/io/progress.h"
#include "engine/io/run_directory.h"
#include "engine/io/stop_signal.h"

namespace retia {

/// Device, data and what they ask of a model: what every command that trains or scores begins with.
struct Workbench {
  at::Device device;
  at::ScalarType dtype;
  DataSplits data;
  Task task;

  /// Batches of `set` for training (shuffled, augmented) or for scoring (all, in order).
  Batches training(const Config& config, const std::vector<int64_t>& indices, LastBatch last) const;
  Batches scoring(const Config& config, const Dataset& set,
                  const std::vector<int64_t>& indices) const;
  Batches scoring(const Config& config, const Dataset& set) const;
};

/// Sets threads and seed, opens the device, loads the data.
Workbench open_workbench(const Program& program, const Config& config);

/// What is searched, or trained in (retrain).
ir::Space search_space(const Program& program, const Config& config, const Task& task);
/// Its supernet with some options changed; null where the space is a file.
std::function<ir::Graph(const Json&)> search_space_with(const Program& program,
                                                        const Config& config, const Task& task);
ir::Space evaluation_space(const Program& program, const Config& config, const Task& task);

/// Throws where `graph`, which `source` holds, does not read the samples of `task` or does not
/// give the number of outputs that it asks for.
void check_suits(const ir::Graph& graph, const Task& task, const std::string& source);

/// "fp32" or "fp64".
at::ScalarType dtype_of(const std::string& precision);

/// How tables call the architectures of a space: as it says or, where it says nothing, by their
/// choices as JSON.
std::function<std::string(const Architecture&)> key_of(const Program& program,
                                                       const std::string& space,
                                                       std::vector<Mutable> mutables);

/// The network of `graph` on the workbench's device.
Network make_network(const ir::Graph& graph, const Config& config, const Workbench& bench);

/// The directory --out, new or resumed as the configuration says.
RunDirectory open_run_directory(const Config& config);

/// How progress is shown on stderr.
ProgressOptions progress_options(const RunOptions& options);

/// Shows progress, writes metrics.jsonl and log.txt, and stops on Ctrl-C.
class RunObserver final : public TrainingObserver {
 public:
  RunObserver(const RunDirectory& directory, const RunOptions& options);

  void on_step(const StepReport& report) override;
  void on_epoch(const EpochReport& report) override;
  bool stop_requested() override { return stop_.requested(); }
  Json state() override { return {{"metrics", metrics_.position()}}; }
  void load_state(const Json& state) override;

  /// A line above the progress and in the log.
  void note(const std::string& text) { progress_.note(text); }

 private:
  StopSignal stop_;
  Progress progress_;
  MetricsWriter metrics_;
  int64_t epoch_ = -1;
};

/// What a run has trained so far: a supernet, or a model under retraining.
struct TrainedSupernet {
  std::string command;  ///< of the run
  ir::Space space;      ///< what it trained
  NamedTensors weights;
};

/// From the run directory of --checkpoint. Throws where it is of another space, unsuited to the
/// data, damaged, or has no checkpoint yet.
TrainedSupernet read_supernet(const Program& program, const Config& config, const Workbench& bench);

/// Shows how an exploration goes on standard error: a line a trial, of quick ones ten a second.
/// Stops on Ctrl-C.
class TrialObserver final : public ExperimentObserver {
 public:
  TrialObserver(const RunOptions& options, const ExperimentOptions& limits,
                const Evaluator& evaluator);
  /// After the trials of former runs.
  void begin(const Experiment& experiment);
  void on_begin(const Proposal&) override { ++n_running_; }
  void on_end(const TrialRecord& trial) override;
  bool stop_requested() override { return stop_.requested(); }

 private:
  std::string remaining(double elapsed) const;

  StopSignal stop_;
  bool quiet_;
  ExperimentOptions limits_;
  Objective objective_;
  std::optional<TrialRecord> best_;
  int64_t n_before_ = 0, n_trials_ = 0, n_running_ = 0;
  double seconds_before_ = 0, started_, shown_ = -1;
};

/// An objective's value for people: parts of one in per cent.
std::string shown(const Objective& objective, double value);

/// What the configuration says about evaluators: the one it names, with the costs beside.
std::unique_ptr<Evaluator> make_evaluator(const Program& program, const Config& config,
                                          const Workbench& bench, const ir::Space& space);

/// Where a stage of a search in stages keeps its checkpoints.
std::filesystem::path checkpoints_of(const std::filesystem::path& run, int64_t stage);
/// Where the last stage that has begun does.
std::filesystem::path newest_checkpoints(const std::filesystem::path& run);

/// Trains to the end or until stopped; resumes from the newest checkpoint of the directory, if any.
/// Prints how to resume when stopped. stage: of a search in stages, whose checkpoints are apart.
Ending train(Trainer& trainer, RunDirectory& directory, RunObserver& observer, const Config& config,
             int64_t stage = 0);

/// "97.22 %"
std::string percent(double part);

}  // namespace retia
