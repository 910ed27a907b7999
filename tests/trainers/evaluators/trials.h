#pragma once

#include <utility>
#include <vector>

#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"

namespace retia {

/// A layer of four inputs and three outputs.
inline ir::Graph linear_model() {
  Builder b("model");
  b.output("y", b.add("layer", ops::linear({.out = 3}), {b.input("x", {4})}));
  return b.finish();
}

/// `trial` with the model to score.
inline Trial trial_of(ir::Graph model, Trial trial = {}) {
  trial.model = std::move(model);
  return trial;
}

/// One trial per model.
inline std::vector<Trial> trials_of(const std::vector<ir::Graph>& models) {
  std::vector<Trial> trials;
  for (const ir::Graph& model : models) {
    trials.push_back(trial_of(model));
  }
  return trials;
}

/// A trial that ends early below these.
inline Trial with_floors(std::vector<double> floors) {
  Trial trial;
  trial.floors = std::move(floors);
  return trial;
}

}  // namespace retia
