#pragma once

#include <vector>

#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/experiment/runner.h"

namespace retia {

/// Runs a job in this process: its trials merged, or one by one where they cannot be merged or the
/// merged run fails. Returns the trials with evaluation, running time and host. An exception from
/// the evaluator fails its trial only.
std::vector<Trial> run_job(Evaluator& evaluator, Job job);

}  // namespace retia
