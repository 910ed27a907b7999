#pragma once

#include <string>
#include <vector>

#include "retia/engine/experiment/trial.h"
#include "retia/engine/io/option.h"

namespace retia {

/// The direction of an objective, as far as a user states one.
enum class StatedDirection { Unstated, Maximise, Minimise };
NLOHMANN_JSON_SERIALIZE_ENUM(StatedDirection, {{StatedDirection::Unstated, "unstated"},
                                               {StatedDirection::Maximise, "maximise"},
                                               {StatedDirection::Minimise, "minimise"}})

/// One objective of several, as a user states it.
struct StatedObjective {
  std::string name = "";  ///< as tables and JSON show it
  StatedDirection direction = StatedDirection::Unstated;
};
inline std::vector<Option> declared(StatedObjective& o) {
  return {option("name", o.name, "name of the number"),
          option("direction", o.direction, "which values are better")};
}

/// Returns whether smaller values of a number of this name are usually better: whether it is named
/// like a loss, an error or a latency, e.g. "val_loss", "top1-error", "RMSE", "latencyMs".
bool is_named_like_a_loss(const std::string& name);

/// Returns the objectives that a user states: those of the list, each with a direction, or else
/// `metric` with `direction`. An unstated direction of `metric` is to maximise, except that it
/// throws, with what to write, where `metric` is named like a loss. Throws where both forms are
/// used, and where a name is missing or given twice. `unused_metric`: the value of `metric` beside
/// a list.
std::vector<Objective> stated_objectives(const std::string& metric, StatedDirection direction,
                                         const std::vector<StatedObjective>& list,
                                         const std::string& unused_metric);

}  // namespace retia
