#pragma once

#include <filesystem>

#include "retia/apps/program.h"

namespace retia {

/// Writes the model of a trial of the exploration in `run` into the new folder `to`. `trial`: as
/// returned by shown() in trial_list.h. Files: architecture.json; model.json, the model's graph;
/// and the files that `retia evaluate --checkpoint` reads from a run: config.json, space.json and,
/// if they were kept, the weights as checkpoints.
void export_trial(const Program& program, const std::filesystem::path& run, const Json& trial,
                  const std::filesystem::path& to);

}  // namespace retia
