#pragma once

#include <filesystem>

#include "apps/program.h"

namespace retia {

/// Writes the model of a trial, shown as by trial_list.h, of the exploration in `run` into a new
/// folder `to`: architecture.json; model.json, its graph; and what else `retia evaluate
/// --checkpoint` reads of a run: config.json, space.json and, where they were kept, its weights as
/// checkpoints.
void export_trial(const Program& program, const std::filesystem::path& run, const Json& trial,
                  const std::filesystem::path& to);

}  // namespace retia
