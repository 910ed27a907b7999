#include "trainers/evaluators/merged_training.h"

#include <algorithm>

#include "trainers/merged_trainer.h"

namespace retia {
namespace {

/// Channels of joined images, by what bench/merged.cpp measures: CPUs convolve in groups slowly
/// where these are wide, GPUs wait for launches.
constexpr int64_t kMostChannelsOnCpu = 16;

/// Asks all trials whether to stop.
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

bool trains_alike(std::span<const Network> networks, std::span<const Trial> trials) {
  const auto is_plain = [&](const Trial& trial) {
    return trial.proposal.continues < 0 && trial.floors.empty() &&
           trial.proposal.epochs == trials.front().proposal.epochs &&
           (trial.proposal.epochs <= 0 || trial.weights.empty());
  };
  return networks.size() > 1 && std::all_of(trials.begin(), trials.end(), is_plain) &&
         can_merge(networks);
}

std::optional<std::vector<EpochReport>> train_merged(std::span<const Network> networks,
                                                     const TrialTraining& training,
                                                     std::span<const Trial> trials) {
  const bool on_cpu = training.train.options().device.is_cpu();
  const MergedNetwork merged(networks, on_cpu ? kMostChannelsOnCpu : ir::kAnyNumberOfChannels);
  const int64_t asked = trials.front().proposal.epochs;
  MergedTrainer trainer(merged, training.train, training.valid,
                        {.epochs = asked > 0 ? asked : training.epochs, .validate_every = 0},
                        training.weight_optimizer);
  StopOfAny observer(trials);
  if (trainer.fit(observer, nullptr) == Ending::Stopped) {
    return std::nullopt;
  }
  merged.give_back();
  return trainer.reports();
}

}  // namespace retia
