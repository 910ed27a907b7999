#pragma once

#include <string>

#include "engine/experiment/trial_store.h"

namespace retia {

/// The trials of the exploration in `folder`.
ListedTrials trials_in(const std::string& folder);

/// A trial as it is shown: as it is listed, but for `objectives`, which go by name, and with
/// `metric` (the first objective; null: none) and `report` (the metric of that name, likewise).
Json shown(const Json& trial, const std::vector<Objective>& objectives);

/// Such trials as `format`: text or csv, a line each below a header, or json.
std::string written(const std::vector<Json>& trials, const std::string& format);

}  // namespace retia
