#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "retia/engine/experiment/runner.h"
#include "retia/engine/experiment/trial_record.h"
#include "retia/engine/ir/space.h"

namespace retia {

/// Returns the model of an architecture, with its shapes checked.
ir::Graph model_of(const ir::Space& space, const Architecture& architecture);

/// Returns the model that `evaluator` reads to score a trial: an empty graph where it reads none.
/// None, with the reason in the record, where the architecture has no valid model: the trial has
/// ended.
std::optional<ir::Graph> freeze_model(TrialRecord& trial, const ir::Space& space,
                                      const Evaluator& evaluator);

/// Throws unless all numbers of an evaluation are finite and there is one per objective.
void check_evaluation(const Evaluation& evaluation, const std::vector<Objective>& objectives);

/// Writes the result of a trial into its record. An evaluation that check_evaluation refuses has
/// failed.
void complete(TrialRecord& record, TrialResult result, const std::vector<Objective>& objectives);

/// Freezes the model of a proposal and evaluates it in this process; returns the record of the
/// trial. Errors are recorded, as those of an Experiment are.
TrialRecord try_proposal(
    const ir::Space& space, Evaluator& evaluator, const Proposal& proposal,
    const std::function<bool()>& stop_requested = [] { return false; });

}  // namespace retia
