#pragma once

#include <vector>

#include "retia/engine/base/json.h"
#include "retia/engine/mutables/mutable.h"

namespace retia {

/// Returns the choices in the format in which tuning tools exchange search spaces:
/// `{"op": {"_type": "layer_choice", "_value": ["conv", "pool"]},
///   "skip": {"_type": "input_choice", "_value": {"candidates": ["a", "b"], "n_chosen": 1}},
///   "width": {"_type": "choice", "_value": [16, 32]}}`
/// An n_chosen of null means any number. The tuner's answer, such as
/// `{"op": {"_value": "conv", "_idx": 0}, …}`, is read by choices_from_json.
Json search_space_to_json(const std::vector<Mutable>& mutables);

}  // namespace retia
