#pragma once

#include <functional>
#include <string>

#include "retia/engine/experiment/trial.h"
#include "retia/trainers/trainer.h"

namespace retia {

/// Returns why the training of a classifier diverged, in one line; empty: it did not. It diverged
/// where the mean training loss of its last epoch is above 10 times, or its validation loss above 100
/// times, the loss ln(n_classes) of guessing, and where its outputs are the same for all validation
/// samples. `last`: the report of the last epoch, validated.
std::string divergence_of(const EpochReport& last, int64_t n_classes);

/// Returns why the training of a regression diverged, in one line; empty: it did not. It diverged
/// where its mean squared error is above 100 times `variance`, that of the training targets, or where
/// it predicts the same number for all samples although the targets differ. `predictions`,
/// `targets`: [n].
std::string divergence_of(const at::Tensor& predictions, const at::Tensor& targets,
                          double variance);

/// Returns the result of `evaluate`, or, where that throws a Divergence, one of a diverged trial.
Evaluation unless_it_diverges(const std::function<Evaluation()>& evaluate);

/// Returns `evaluation`; where there is a `reason`, one of a diverged trial instead.
Evaluation marked(Evaluation evaluation, const std::string& reason);

}  // namespace retia
