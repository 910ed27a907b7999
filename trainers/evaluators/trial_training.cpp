#include "trainers/evaluators/trial_training.h"

#include "trainers/supervised_trainer.h"

namespace retia {
namespace {

/// Keeps the last report, and asks the trial whether to stop.
class LastEpoch final : public TrainingObserver {
 public:
  explicit LastEpoch(const Trial& trial) : trial_(trial) {}
  void on_epoch(const EpochReport& report) override { report_ = report; }
  bool stop_requested() override { return trial_.stop_requested(); }
  const EpochReport& report() const { return report_; }

 private:
  const Trial& trial_;
  EpochReport report_;
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

std::optional<EpochReport> train_trial(const Network& network, const TrialTraining& training,
                                       const Trial& trial) {
  const Proposal& proposal = trial.proposal;
  const int64_t epochs = proposal.epochs > 0 ? proposal.epochs : training.epochs;
  SupervisedTrainer trainer(network, training.train, training.valid,
                            {.epochs = epochs, .validate_every = 0}, training.weight_optimizer);
  LastEpoch last(trial);
  if (proposal.continues >= 0) {
    trainer.restore(continued(trial), last);
  }
  std::optional<CheckpointStore> kept;
  if (proposal.epochs > 0 && !trial.weights.empty()) {
    kept.emplace(weights_of_trial(trial, proposal.id));
  }
  if (trainer.fit(last, kept ? &*kept : nullptr) == Ending::Stopped) {
    return std::nullopt;
  }
  return last.report();
}

int64_t n_parameters(const torch::nn::Module& module) {
  int64_t n = 0;
  for (const at::Tensor& parameter : module.parameters()) {
    n += parameter.numel();
  }
  return n;
}

}  // namespace retia
