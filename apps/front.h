#pragma once

#include "retia/engine/experiment/experiment.h"
#include "retia/engine/io/run_directory.h"

namespace retia {

/// Writes the Pareto front of an experiment with several objectives to front.json, and draws it by
/// the first two objectives in front.svg. Returns the number of trials in it.
size_t write_front(const Experiment& experiment, const RunDirectory& directory);

}  // namespace retia
