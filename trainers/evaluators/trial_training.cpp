#include "retia/trainers/evaluators/trial_training.h"

#include <algorithm>
#include <cmath>

#include "retia/trainers/supervised_trainer.h"

namespace retia {
namespace {

/// Keeps what is reported, and says when to stop: when the trial asks, or falls below its floors.
class TrialEpochs final : public TrainingObserver {
 public:
  TrialEpochs(const TrialTraining& training, const Trial& trial)
      : training_(training), trial_(trial) {}

  void on_epoch(const EpochReport& report) override {
    trained_.last = report;
    std::vector<double>& known = trained_.intermediate;
    if (!training_.score || static_cast<int64_t>(known.size()) != report.epoch) {
      return;  // nobody asks, or former epochs were not asked about
    }
    known.push_back(training_.score(report));
    if (!std::isfinite(known.back())) {
      throw Divergence(
          {__func__, __FILE__, __LINE__},
          c10::str("the objective became ", known.back(), " in epoch ", report.epoch + 1));
    }
    is_below_ = below_floors(trial_, training_.direction, known);
  }
  bool stop_requested() override { return is_below_ || trial_.stop_requested(); }
  Json state() override { return {{"intermediate", trained_.intermediate}}; }
  void load_state(const Json& state) override {
    trained_.intermediate = state.value("intermediate", std::vector<double>());
  }

  std::optional<TrainedTrial> after(Ending ending) {
    trained_.ended_early = ending == Ending::Stopped && is_below_;
    return ending == Ending::Finished || is_below_ ? std::optional(trained_) : std::nullopt;
  }

 private:
  const TrialTraining& training_;
  const Trial& trial_;
  TrainedTrial trained_;
  bool is_below_ = false;
};

std::filesystem::path weights_of_trial(const Trial& trial, int64_t id) {
  return trial.weights / std::to_string(id);
}

Checkpoint continued(const Trial& trial) {
  const int64_t id = trial.proposal.continues;
  TORCH_CHECK(!trial.weights.empty(), "there is no folder with the weights of trial ", id,
              ", which this one continues");
  const auto saved = CheckpointStore(weights_of_trial(trial, id)).newest([](const auto&) {});
  TORCH_CHECK(saved.has_value(), weights_of_trial(trial, id).string(),
              " holds no weights of trial ", id, ", which this one continues");
  return *saved;
}

}  // namespace

std::optional<TrainedTrial> train_trial(const Network& network, const TrialTraining& training,
                                        const Trial& trial) {
  const Proposal& proposal = trial.proposal;
  const int64_t epochs = proposal.epochs > 0 ? proposal.epochs : training.epochs;
  SupervisedTrainer trainer(network, training.train, training.valid,
                            {.epochs = epochs, .validate_every = training.score ? 1 : 0},
                            training.weight_optimizer);
  TrialEpochs observer(training, trial);
  if (proposal.continues >= 0) {
    trainer.restore(continued(trial), observer);
  }
  std::optional<CheckpointStore> kept;
  if ((proposal.epochs > 0 || training.keep_weights) && !trial.weights.empty()) {
    kept.emplace(weights_of_trial(trial, proposal.id));
  }
  return observer.after(trainer.fit(observer, kept ? &*kept : nullptr));
}

bool below_floors(const Trial& trial, Direction direction,
                  const std::vector<double>& intermediate) {
  if (intermediate.empty() || intermediate.size() > trial.floors.size() ||
      std::isnan(intermediate.back())) {
    return false;
  }
  const double floor = gain(direction, trial.floors[intermediate.size() - 1]);
  return std::all_of(intermediate.begin(), intermediate.end(), [&](double value) {
    return std::isnan(value) || gain(direction, value) < floor;
  });
}

Evaluation with_course(Evaluation evaluation, const TrainedTrial& trained) {
  evaluation.intermediate = trained.intermediate;
  if (trained.ended_early) {
    evaluation.metrics["epochs"] = static_cast<double>(trained.last.epoch + 1);
  }
  return evaluation;
}

int64_t n_parameters(const torch::nn::Module& module) {
  int64_t n = 0;
  for (const at::Tensor& parameter : module.parameters()) {
    n += parameter.numel();
  }
  return n;
}

}  // namespace retia
