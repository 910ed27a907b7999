#pragma once

#include <string>
#include <vector>

#include "retia/engine/ir/builder.h"
#include "retia/engine/ir/composite.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"
#include "retia/engine/operations/table.h"
#include "retia/tests/engine/applied_mutator.h"
#include "retia/tests/engine/tensors.h"

namespace retia {

struct BlockOptions {
  Dim out = 0;
  Dim kernel = 3;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(BlockOptions, out, kernel)

inline Wire block_parts(Builder& b, Wire x, const BlockOptions& o) {
  x = b.add("conv", ops::conv2d({.out = o.out, .kernel = o.kernel}), {x});
  return b.add("bn", ops::batch_norm(), {x});
}

/// A composite of two primitives, `conv` and `bn`.
inline ir::Operation block(const BlockOptions& options = {}) {
  return composite<&block_parts>("block", options);
}

inline OperationTable operations_with_block() {
  OperationTable table = standard_operations();
  table.add("block", &block_parts);
  return table;
}

/// A space with every kind of choice that a supernet can hold: nested, without a connection, one
/// and several inputs under every reduction, and any number of inputs.
inline ir::Graph every_choice_space() {
  using ir::Reduction;
  Builder b("every_choice");
  const Wire image = b.input("image", {3, 7, 5});
  const Wire stem = b.add("stem", block({.out = 4}), {image});
  const Wire first = b.layer_choice("first",
                                    {{"conv", block()},
                                     {"pool", ops::max_pool2d()},
                                     {"none", ops::zero()},
                                     {"skip", ops::identity()}},
                                    {stem});
  const auto deep = [](Builder& inner, Wire x) {
    const Wire a = inner.layer_choice(
        "inner", {{"wide", block({.kernel = 5})}, {"narrow", block({.kernel = 1})}}, {x});
    return inner.input_choice("join", {x, a}, {.n_chosen = std::nullopt});
  };
  const Wire second =
      b.layer_choice("second", {{"deep", deep}, {"flat", ops::avg_pool2d()}}, {first});
  const Wire one = b.input_choice("one", {stem, first});
  const Wire mean =
      b.input_choice("mean", {stem, first, second}, {.n_chosen = 2, .reduction = Reduction::Mean});
  const Wire wide =
      b.input_choice("wide", {one, mean, second}, {.n_chosen = 2, .reduction = Reduction::Concat});
  const Wire any = b.input_choice("any", {one, mean}, {.n_chosen = std::nullopt});
  const Wire joined = b.add("joined", ops::concat(), {wide, any});
  const Wire pooled = b.add("pooled", ops::global_mean(), {joined});
  b.output("logits", b.add("head", ops::linear({.out = 3}), {pooled}));
  return b.finish();
}

}  // namespace retia
