#pragma once

#include <functional>

#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/space/space.h"

namespace retia {

/// Returns the model of an architecture, with its shapes checked.
ir::Graph model_of(const ir::Space& space, const Architecture& architecture);

/// Gives a trial the model that `evaluator` reads, if it reads one. Returns false, with the reason
/// in the trial, where the architecture has no valid model: the trial has ended.
bool freeze_model(Trial& trial, const ir::Space& space, const Evaluator& evaluator);

/// Throws unless all numbers of an evaluation are finite and there is one per objective.
void check_evaluation(const Evaluation& evaluation, const std::vector<Objective>& objectives);

/// Ends a trial that was evaluated: it has failed where check_evaluation refuses its evaluation.
void complete(Trial& trial, const std::vector<Objective>& objectives);

/// Runs one trial in this process, without a store: freezes the model of a proposal and evaluates
/// it. Errors are in the trial, as those of an Experiment are.
Trial try_proposal(
    const ir::Space& space, Evaluator& evaluator, const Proposal& proposal,
    const std::function<bool()>& stop_requested = [] { return false; });

}  // namespace retia
