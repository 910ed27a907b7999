#pragma once

#include <optional>

#include "apps/workbench.h"
#include "trainers/one_shot/one_shot_trainer.h"

namespace retia {

/// The architecture that a trained search comes to; none: it was stopped. Where it ends by trials,
/// they are an experiment in the folder `final_search` of the run, which is continued when it is
/// there: experiment.sqlite has them all, architecture.json is the best so far and
/// top/1.json, 2.json … the best few, the best first. Several ranks score an
/// architecture each at a time; the first one, which has the directory, runs the experiment, and
/// all come to the same architecture.
std::optional<Architecture> final_architecture(OneShotTrainer& trainer,
                                               const std::optional<RunDirectory>& directory,
                                               RunObserver& observer, const Config& config,
                                               Ranks& ranks);

}  // namespace retia
