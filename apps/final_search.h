#pragma once

#include <optional>

#include "apps/workbench.h"
#include "trainers/one_shot/one_shot_trainer.h"

namespace retia {

/// The architecture that a trained search comes to; none: it was stopped. Where it ends by trials,
/// they are an experiment in the folder `final_search` of the run, which is continued when it is
/// there: experiment.sqlite has them all, architecture.json is the best so far and
/// top/1.json, 2.json … the best few, the best first.
std::optional<Architecture> final_architecture(OneShotTrainer& trainer,
                                               const RunDirectory& directory, RunObserver& observer,
                                               const Config& config);

}  // namespace retia
