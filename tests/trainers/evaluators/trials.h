#pragma once

#include <utility>
#include <vector>

#include "retia/engine/evaluator.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"

namespace retia {

/// A layer of four inputs and three outputs.
inline ir::Graph linear_model() {
  Builder b("model");
  b.output("y", b.add("layer", ops::linear({.out = 3}), {b.input("x", {4})}));
  return b.finish();
}

/// A trial that ends early below these.
inline Trial with_floors(std::vector<double> floors) {
  Trial trial;
  trial.floors = std::move(floors);
  return trial;
}

}  // namespace retia
