#pragma once

#include "engine/experiment/experiment.h"
#include "engine/io/run_directory.h"

namespace retia {

/// Writes the trials that no other dominates, of an experiment with several objectives, into
/// front.json, and draws them by the first two objectives into front.svg. Returns how many.
size_t write_front(const Experiment& experiment, const RunDirectory& directory);

}  // namespace retia
