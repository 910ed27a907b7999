#include "retia/trainers/evaluators/merged_training.h"

#include <algorithm>

#include "retia/trainers/merged_trainer.h"

namespace retia {
namespace {

/// Returns whether merging is faster. On a CPU convolutions run faster one by one as fused
/// operations than joined (measured by bench/merged.cpp); on a GPU launches dominate. The reference
/// executor joins nothing.
bool is_faster_merged(const Network& network) {
  const auto parameters = network->parameters();
  return network->executor() == Executor::Fused &&
         std::none_of(parameters.begin(), parameters.end(), [](const at::Tensor& weight) {
           return weight.device().is_cpu() && weight.dim() == 4;
         });
}

/// Stops when any of the trials asks to stop.
class StopOfAny final : public TrainingObserver {
 public:
  explicit StopOfAny(std::span<const Trial> trials) : trials_(trials) {}
  bool stop_requested() override {
    return std::any_of(trials_.begin(), trials_.end(),
                       [](const Trial& trial) { return trial.stop_requested(); });
  }

 private:
  std::span<const Trial> trials_;
};

}  // namespace

bool trains_alike(std::span<const Network> networks, const TrialTraining& training,
                  std::span<const Trial> trials) {
  const auto is_plain = [&](const Trial& trial) {
    return trial.proposal.continues < 0 && trial.floors.empty() &&
           trial.proposal.epochs == trials.front().proposal.epochs &&
           (trial.proposal.epochs <= 0 || trial.weights.empty());
  };
  return networks.size() > 1 && !training.intermediate && !training.keep_weights &&
         std::all_of(trials.begin(), trials.end(), is_plain) &&
         std::all_of(networks.begin(), networks.end(), is_faster_merged) && can_merge(networks);
}

std::optional<std::vector<Evaluation>> evaluate_merged(std::vector<Network> networks,
                                                       const TrialTraining& training,
                                                       std::span<const Trial> trials,
                                                       const ScoreTrained& score) {
  if (!trains_alike(networks, training, trials)) {
    return std::nullopt;
  }
  const MergedNetwork merged(networks);
  const int64_t asked = trials.front().proposal.epochs;
  MergedTrainer trainer(merged, training.train, training.valid,
                        {.epochs = asked > 0 ? asked : training.epochs, .validate_every = 0},
                        training.weight_optimizer);
  StopOfAny observer(trials);
  std::vector<Evaluation> evaluations(networks.size(), {.status = TrialStatus::Stopped});
  if (trainer.fit(observer, nullptr) == Ending::Stopped) {
    return evaluations;
  }
  merged.give_back();
  for (size_t i = 0; i < networks.size(); ++i) {
    evaluations[i] = score(networks[i], trainer.reports()[i]);
  }
  return evaluations;
}

}  // namespace retia
