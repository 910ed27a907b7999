#pragma once

#include <string>

#include "retia/engine/experiment/trial_store.h"
#include "retia/engine/io/option.h"

namespace retia {

/// Returns the trials of the exploration in `folder`.
ListedTrials trials_in(const std::string& folder);

/// Returns a trial in the form that is shown: as listed, but with `objectives` keyed by name, and
/// with `metric` (the first objective, or null), its `direction`, the `directions` of all objectives by
/// name, and `report` (the metric of that name, or null).
Json shown(const Json& trial, const std::vector<Objective>& objectives);

/// Returns the `n` best trials that succeeded, the best first, in the form that is shown.
std::vector<Json> best_trials(const ListedTrials& listed, int64_t n);

/// Returns the option --format (text, json or csv) of the commands that list trials or facts of a
/// run; its value is written into `format`.
Option format_option(std::string& format);

/// Returns a number as text for people shows it, with six digits; any other value as it is.
Json rounded(const Json& value);

/// Returns a CSV field, quoted where necessary.
std::string csv_field(const std::string& field);

/// Returns shown trials as text in the given format: text or csv (one line per trial, below a
/// header) or json.
std::string written(const std::vector<Json>& trials, const std::string& format);

}  // namespace retia
