#pragma once

#include <optional>

#include "retia/apps/workbench.h"
#include "retia/trainers/one_shot/one_shot_trainer.h"

namespace retia {

/// Returns the architecture that a trained search has found; none where it was stopped. A search
/// that ends with trials runs them as an experiment in the folder `final_search` of the run, and
/// continues an existing one: experiment.sqlite has all trials, architecture.json the best so far,
/// and top/1.json, 2.json, … the best few, the best first. With several ranks each scores one
/// architecture at a time; the first rank, which has the run directory, runs the experiment, and
/// all ranks return the same architecture.
std::optional<Architecture> final_architecture(OneShotTrainer& trainer,
                                               const std::optional<RunDirectory>& directory,
                                               RunObserver& observer, const Config& config,
                                               Ranks& ranks);

}  // namespace retia
