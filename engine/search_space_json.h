#pragma once

#include <vector>

#include "engine/json.h"
#include "engine/mutable.h"

namespace retia {

/// What a tuner from outside is told of the choices, as tools for tuning exchange it:
/// `{"op": {"_type": "layer_choice", "_value": ["conv", "pool"]},
///   "skip": {"_type": "input_choice", "_value": {"candidates": ["a", "b"], "n_chosen": 1}},
///   "width": {"_type": "choice", "_value": [16, 32]}}`; n_chosen null: any number. What it
///   answers,
/// `{"op": {"_value": "conv", "_idx": 0}, …}`, is read by choices_from_json.
Json search_space_to_json(const std::vector<Mutable>& mutables);

}  // namespace retia
