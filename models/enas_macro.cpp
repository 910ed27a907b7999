#include "retia/models/enas_macro.h"

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/models/ops/conv_bn.h"
#include "retia/models/ops/enas_layer.h"
#include "retia/models/ops/factorized_reduce.h"

namespace retia {
namespace {

/// The outputs so far, the stem's first, and what they are called.
struct Outputs {
  std::vector<Wire> wires;
  std::vector<std::string> names;

  void add(const std::string& name, Wire wire) {
    wires.push_back(wire);
    names.push_back(name);
  }
};

void halve(Builder& b, Outputs& outputs) {
  const auto scope = b.scope("halve");
  for (size_t j = 0; j < outputs.wires.size(); ++j) {
    outputs.wires[j] = b.add(outputs.names[j], ops::factorized_reduce(), {outputs.wires[j]});
  }
}

Wire layer(Builder& b, const Outputs& outputs) {
  const auto make = [](EnasOperation operation, int64_t kernel) {
    return ops::enas_layer({.operation = operation, .kernel = kernel});
  };
  Wire x = b.layer_choice("op",
                          {{"conv3x3", make(EnasOperation::Conv, 3)},
                           {"conv5x5", make(EnasOperation::Conv, 5)},
                           {"sep_conv3x3", make(EnasOperation::SepConv, 3)},
                           {"sep_conv5x5", make(EnasOperation::SepConv, 5)},
                           {"avg_pool3x3", make(EnasOperation::Average, 3)},
                           {"max_pool3x3", make(EnasOperation::Max, 3)}},
                          {outputs.wires.back()});
  if (outputs.wires.size() > 1) {
    const Wire skip = b.input_choice(
        "skip", {outputs.wires.begin(), outputs.wires.end() - 1},
        {.n_chosen = std::nullopt, .names = {outputs.names.begin(), outputs.names.end() - 1}});
    x = b.add("sum", ops::add(), {x, skip});
  }
  return b.add("bn", ops::batch_norm(), {x});
}

}  // namespace

ir::Graph enas_macro(const EnasMacroOptions& o, const Task& task) {
  check_declared(o, "space 'enas_macro'");
  Builder b("enas_macro");
  const Wire image = b.input("image", {task.input.begin(), task.input.end()});
  Outputs outputs;
  outputs.add("stem", b.add("stem", ops::conv_bn({.out = o.channels}), {image}));
  for (int64_t i = 0; i < o.layers; ++i) {
    const std::string name = "layer" + std::to_string(i);
    const auto scope = b.scope(name);
    if (i > 0 && (i == o.layers / 3 || i == 2 * o.layers / 3)) {
      halve(b, outputs);
    }
    outputs.add(name, layer(b, outputs));
  }
  const Wire mean = b.add("mean", ops::global_mean(), {outputs.wires.back()});
  b.output("logits", b.add("head", ops::linear({.out = task.n_outputs}), {mean}));
  return b.finish();
}

}  // namespace retia
