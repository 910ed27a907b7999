#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <optional>
#include <string>

#include "apps/program.h"
#include "apps/run_observer.h"
#include "engine/distributed/ranks.h"
#include "engine/io/run_directory.h"
#include "engine/io/stop_signal.h"

namespace retia {

/// Device, data and what they ask of a model: what every command that trains or scores begins with.
struct Workbench {
  at::Device device;
  at::ScalarType dtype;  ///< what models compute in (see precision.h)
  DataSplits data;
  Task task;
  Ranks* ranks = nullptr;  ///< those that train together; null: this process alone

  /// Batches of `set` for training (shuffled, augmented, each rank's share) or for scoring (all, in
  /// order).
  Batches training(const Config& config, const std::vector<int64_t>& indices, LastBatch last) const;
  Batches scoring(const Config& config, const Dataset& set,
                  const std::vector<int64_t>& indices) const;
  Batches scoring(const Config& config, const Dataset& set) const;
};

/// Sets threads and seed, opens the device, loads the data. Of several ranks each must have been
/// given the same configuration.
Workbench open_workbench(const Program& program, const Config& config, Ranks* ranks = nullptr);

/// What is searched, or trained in (retrain).
ir::Space search_space(const Program& program, const Config& config, const Task& task);
/// The same, with the choices in the evaluator's options.
ir::Space explored_space(const Program& program, const Config& config, const Task& task);
/// Its supernet with some options changed; null where the space is a file.
std::function<ir::Graph(const Json&)> search_space_with(const Program& program,
                                                        const Config& config, const Task& task);
ir::Space evaluation_space(const Program& program, const Config& config, const Task& task);

/// What `graph`, which a run of `config` has written, stands for: where it waits for graph mutators
/// they come from the table.
ir::Space written_space(const Program& program, const Json& config, ir::Graph graph,
                        const Task& task);

/// Throws where `graph`, which `source` holds, does not read the samples of `task` or does not
/// give the number of outputs that it asks for.
void check_suits(const ir::Graph& graph, const Task& task, const std::string& source);

/// How tables call the architectures of a space: as it says or, where it says nothing, by their
/// choices as JSON.
std::function<std::string(const Architecture&)> key_of(const Program& program,
                                                       const std::string& space,
                                                       std::vector<Mutable> mutables);

/// The network of `graph` on the workbench's device.
Network make_network(const ir::Graph& graph, const Config& config, const Workbench& bench);

/// The directory --out, new or resumed as the configuration says.
RunDirectory open_run_directory(const Config& config);
/// Of several ranks the first has it, and the others nothing.
std::optional<RunDirectory> open_run_directory(const Config& config, const Ranks& ranks);
/// Whether it holds a finished run: what the first rank found there.
bool is_finished(const std::optional<RunDirectory>& directory, Ranks& ranks);

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
/// Ranks resume from what the first one reads, whose number may be another than when it was saved.
Ending train(Trainer& trainer, const std::optional<RunDirectory>& directory, RunObserver& observer,
             const Config& config, Ranks& ranks, int64_t stage = 0);

}  // namespace retia
