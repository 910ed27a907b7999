#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "retia/apps/config.h"
#include "retia/engine/base/json_difference.h"

namespace retia {

class Program;

/// A run that is to be resumed, as it lies in its folder.
struct RunBefore {
  std::filesystem::path path;  ///< run directory
  Json options;                ///< its config.json
  Json record;                 ///< its run.json; null: an older version wrote none
};

/// Compares a run with what it would be made of `now` (as in run.json), and returns the changes
/// that were asked for. Options that the run's version did not have count as their defaults; files
/// and data are compared by content. Throws one line that names the first difference that may not
/// be. `config`: has --extend and --allow-change.
std::vector<JsonChange> changes_on_resume(const Program& program, const Config& config,
                                          const RunBefore& before, const Json& now);

/// Returns whether the option `key` names something that is compared by other means than the file
/// it names: the run itself, its data, space and architecture.
bool is_compared_otherwise(const std::string& key);

}  // namespace retia
