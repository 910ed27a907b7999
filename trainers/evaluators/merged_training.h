#pragma once

#include <span>

#include "trainers/evaluators/trial_training.h"

namespace retia {

/// Returns whether train_merged can train these trials' models together: two or more models that
/// can be merged (see can_merge) and gain from it on their device, all trained from scratch for
/// equally many epochs, to the end, and without keeping weights.
bool trains_alike(std::span<const Network> networks, std::span<const Trial> trials);

/// Trains all `networks` together, each as train_trial trains it, up to rounding; requires
/// trains_alike. Returns the reports of the last epoch, one per network; none where a trial was
/// stopped, which stops all. Throws where one network diverges; train the networks alone to get the
/// results of the others.
std::optional<std::vector<EpochReport>> train_merged(std::span<const Network> networks,
                                                     const TrialTraining& training,
                                                     std::span<const Trial> trials);

}  // namespace retia
