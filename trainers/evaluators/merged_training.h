#pragma once

#include <span>

#include "trainers/evaluators/trial_training.h"

namespace retia {

/// Whether train_merged can train these trials' models at once: two or more that can be merged (see
/// can_merge) and gain by it where they are, from scratch, for as many epochs, to the end, and
/// without their weights being kept.
bool trains_alike(std::span<const Network> networks, std::span<const Trial> trials);

/// Trains all `networks` as train_trial does each, at once, to rounding. Such that trains_alike.
/// Returns the last epoch's reports, one a network; none: one of the trials was stopped, and so all
/// were. Throws where one of them diverges: what the others would have come to is then to be seen
/// by training them alone.
std::optional<std::vector<EpochReport>> train_merged(std::span<const Network> networks,
                                                     const TrialTraining& training,
                                                     std::span<const Trial> trials);

}  // namespace retia
