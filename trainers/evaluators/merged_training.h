#pragma once

#include <span>

#include "retia/trainers/evaluators/trial_training.h"

namespace retia {

/// Returns whether evaluate_merged can train these trials' models together: two or more models that
/// can be merged (see can_merge) and gain from it on their device, all trained from scratch for
/// equally many epochs, to the end, without scores after each epoch and without keeping weights.
bool trains_alike(std::span<const Network> networks, const TrialTraining& training,
                  std::span<const Trial> trials);

/// Scores a trained network after its last epoch.
using ScoreTrained = std::function<Evaluation(Network& network, const EpochReport& last)>;

/// Trains all `networks` together, each as train_trial trains it, up to rounding, and scores each;
/// none where they do not train alike. A trial that is asked to stop stops all. Throws where one
/// network diverges; train the networks alone to get the results of the others.
std::optional<std::vector<Evaluation>> evaluate_merged(std::vector<Network> networks,
                                                       const TrialTraining& training,
                                                       std::span<const Trial> trials,
                                                       const ScoreTrained& score);

}  // namespace retia
