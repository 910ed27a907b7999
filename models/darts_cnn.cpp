#include "retia/models/darts_cnn.h"

#include <algorithm>

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/drop.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/ops/conv_bn.h"
#include "retia/models/ops/dil_conv.h"
#include "retia/models/ops/factorized_reduce.h"
#include "retia/models/ops/pool_bn.h"
#include "retia/models/ops/sep_conv.h"

namespace retia {
namespace {

using ir::CandidateWriter;

/// The eight operations of an edge in the search network.
std::vector<CandidateWriter> search_candidates(int64_t stride, double skip_dropout) {
  const ir::Operation identity =
      skip_dropout == 0 ? ops::identity() : ops::fading_dropout({.probability = skip_dropout});
  const auto pool = [stride](Pooling pooling) {
    return ops::pool_bn({.pooling = pooling, .stride = stride, .affine = false});
  };
  const auto sep_conv = [stride](int64_t kernel) {
    return ops::sep_conv({.kernel = kernel, .stride = stride, .affine = false});
  };
  const auto dil_conv = [stride](int64_t kernel) {
    return ops::dil_conv({.kernel = kernel, .stride = stride, .affine = false});
  };
  return {{"none", ops::zero({.stride = stride})},
          {"max_pool_3x3", pool(Pooling::Max)},
          {"avg_pool_3x3", pool(Pooling::Average)},
          {"skip_connect", stride == 1 ? identity : ops::factorized_reduce({.affine = false})},
          {"sep_conv_3x3", sep_conv(3)},
          {"sep_conv_5x5", sep_conv(5)},
          {"dil_conv_3x3", dil_conv(3)},
          {"dil_conv_5x5", dil_conv(5)}};
}

/// The eight operations of an edge in the evaluation network, under the names, and with the names
/// of parts, that they have in the search network.
std::vector<CandidateWriter> evaluation_candidates(int64_t stride, double drop_probability) {
  const auto dropped = [drop_probability](Builder& b, Wire x) {
    return b.add("drop_path", ops::drop_path({.probability = drop_probability}), {x});
  };
  const auto pool = [=](const ir::Operation& operation) {
    return [=](Builder& b, Wire x) { return dropped(b, b.add("pool", operation, {x})); };
  };
  const auto sep_conv = [=](int64_t kernel) {
    return [=](Builder& b, Wire x) {
      return dropped(b, sep_conv_parts(b, x, {.kernel = kernel, .stride = stride}));
    };
  };
  const auto dil_conv = [=](int64_t kernel) {
    return [=](Builder& b, Wire x) {
      return dropped(b, dil_conv_parts(b, x, {.kernel = kernel, .stride = stride}));
    };
  };
  const auto reduce = [=](Builder& b, Wire x) {
    return dropped(b, factorized_reduce_parts(b, x, {}));
  };
  return {{"none", ops::zero({.stride = stride})},
          {"max_pool_3x3", pool(ops::max_pool2d({.stride = stride}))},
          {"avg_pool_3x3", pool(ops::avg_pool2d({.stride = stride}))},
          stride == 1 ? CandidateWriter("skip_connect", ops::identity())
                      : CandidateWriter("skip_connect", reduce),
          {"sep_conv_3x3", sep_conv(3)},
          {"sep_conv_5x5", sep_conv(5)},
          {"dil_conv_3x3", dil_conv(3)},
          {"dil_conv_5x5", dil_conv(5)}};
}

/// The differences between search and evaluation network.
struct Style {
  std::string name = "darts_cnn";
  bool affine = false;
  int64_t partial_channels = 1;
  /// The operations of an edge of the given stride; none: nodes wait for graph mutators.
  std::function<std::vector<CandidateWriter>(int64_t)> candidates = {};
};

enum class CellKind { Normal, Reduction };

/// The position of a cell, with the kind of the cell before it, which determines the image size.
struct CellPlace {
  CellKind kind = CellKind::Normal;
  CellKind before = CellKind::Normal;
  int64_t channels = 0;
  int64_t nodes = 0;
};

/// The states 0 and 1 of a cell: what the two cells before it made, brought to one size.
std::vector<Wire> preprocessed(Builder& b, Wire older, Wire newer, const CellPlace& place,
                               const Style& style) {
  const auto conv = ops::conv_bn(
      {.out = place.channels, .kernel = 1, .relu = ReluPlace::Before, .affine = style.affine});
  const auto reduce = ops::factorized_reduce({.out = place.channels, .affine = style.affine});
  return {b.add("pre0", place.before == CellKind::Reduction ? reduce : conv, {older}),
          b.add("pre1", conv, {newer})};
}

/// An edge of a cell, named by the states it joins.
Wire edge(Builder& b, const std::string& name, int64_t stride, Wire x, const Style& style) {
  const int64_t k = style.partial_channels;
  if (k == 1) {
    return b.layer_choice(name, style.candidates(stride), {x});
  }
  const Wire chosen = b.layer_choice(name, style.candidates(stride),
                                     {b.add(name + "_part", ops::split({.of = k}), {x})});
  Wire rest = b.add(name + "_rest", ops::split({.index = 1, .of = k, .count = k - 1}), {x});
  if (stride > 1) {
    rest = b.add(name + "_pool",
                 ops::max_pool2d({.kernel = stride, .stride = stride, .padding = 0}), {rest});
  }
  const Wire joined = b.add(name + "_join", ops::concat(), {chosen, rest});
  return b.add(name + "_mix", ops::shuffle({.groups = k}), {joined});
}

/// A node that chooses two of the states before it and what to make of them.
Wire choosing_node(Builder& b, const std::string& node, const std::vector<Wire>& states,
                   const std::vector<int64_t>& strides, const Style& style) {
  std::vector<Wire> edges;
  std::vector<std::string> names;
  for (size_t i = 0; i < states.size(); ++i) {
    names.push_back(std::to_string(i) + "-" + node);
    edges.push_back(edge(b, names.back(), strides[i], states[i], style));
  }
  return b.input_choice(node, edges, {.n_chosen = 2, .names = names});
}

/// A node that waits for a graph mutator.
Wire waiting_node(Builder& b, const std::string& node, const std::vector<Wire>& states,
                  const std::vector<int64_t>& strides, const std::string& kind) {
  Shape shape = b.shape(states.front());
  for (size_t d = 1; d < shape.size(); ++d) {
    shape[d] = floor_div(shape[d] + (strides.front() - 1), strides.front());
  }
  return b.placeholder(
      node, {.label = kind + "/" + node, .parameters = {{"strides", strides}}, .shape = shape},
      states);
}

Wire cell(Builder& b, Wire older, Wire newer, const CellPlace& place, const Style& style) {
  std::vector<Wire> states = preprocessed(b, older, newer, place, style);
  const std::string kind = place.kind == CellKind::Reduction ? "reduce" : "normal";
  const auto labels = b.label_scope(kind);
  std::vector<int64_t> strides(2, place.kind == CellKind::Reduction ? 2 : 1);
  for (int64_t j = 2; j < place.nodes + 2; ++j) {
    const std::string node = std::to_string(j);
    states.push_back(style.candidates ? choosing_node(b, node, states, strides, style)
                                      : waiting_node(b, node, states, strides, kind));
    strides.push_back(1);
  }
  return b.add("concat", ops::concat(), {states.begin() + 2, states.end()});
}

/// The classifier beside: brought to 2 x 2 on square maps of at least 4 x 4, as the paper does it
/// on 8 x 8; of smaller maps the mean.
Wire auxiliary_head(Builder& b, Wire x, int64_t n_outputs) {
  const auto scope = b.scope("auxiliary");
  const int64_t size = std::min(b.shape(x)[1].value(), b.shape(x)[2].value());
  if (size >= 4) {
    x = b.add("relu1", ops::relu(), {x});
    x = b.add("pool", ops::avg_pool2d({.kernel = size - 3, .stride = 3, .padding = 0}), {x});
    x = b.add("conv1", ops::conv_bn({.out = 128, .kernel = 1, .relu = ReluPlace::After}), {x});
    x = b.add("conv2", ops::conv2d({.out = 768, .kernel = 2, .padding = 0}), {x});
    x = b.add("bn2", ops::batch_norm(), {x});
    x = b.add("relu2", ops::relu(), {x});
  }
  x = b.add("mean", ops::global_mean(), {x});
  return b.add("head", ops::linear({.out = n_outputs}), {x});
}

enum class Auxiliary { Without, With };

ir::Graph network(const DartsCnnOptions& o, const Task& task, const Style& style,
                  Auxiliary auxiliary) {
  check_declared(o, c10::str("space '", style.name, "'"));
  Builder b(style.name);
  const Wire image = b.input("image", {task.input.begin(), task.input.end()});
  const Wire stem = b.add("stem", ops::conv_bn({.out = 3 * o.channels}), {image});
  const int64_t last_reduction = 2 * o.layers / 3;
  Wire older = stem;
  Wire newer = stem;
  Wire reduced = stem;
  CellPlace place{.channels = o.channels, .nodes = o.nodes};
  for (int64_t i = 0; i < o.layers; ++i) {
    place.before =
        std::exchange(place.kind, i == o.layers / 3 || i == last_reduction ? CellKind::Reduction
                                                                           : CellKind::Normal);
    place.channels *= place.kind == CellKind::Reduction ? 2 : 1;
    const auto scope = b.scope("cell" + std::to_string(i));
    older = std::exchange(newer, cell(b, older, newer, place, style));
    reduced = i == last_reduction ? newer : reduced;
  }
  const Wire mean = b.add("mean", ops::global_mean(), {newer});
  b.output("logits", b.add("head", ops::linear({.out = task.n_outputs}), {mean}));
  if (auxiliary == Auxiliary::With) {
    b.output("auxiliary", auxiliary_head(b, reduced, task.n_outputs));
  }
  return b.finish();
}

}  // namespace

ir::Graph darts_cnn(const DartsCnnOptions& options, const Task& task) {
  check_declared(options, "space 'darts_cnn'");
  const int64_t k = options.partial_channels;
  TORCH_CHECK(options.channels % k == 0,
              "space 'darts_cnn': partial_channels must divide channels, got ", k, " and ",
              options.channels);
  const auto candidates = [drop = options.skip_dropout](int64_t stride) {
    return search_candidates(stride, drop);
  };
  return network(options, task, {.affine = false, .partial_channels = k, .candidates = candidates},
                 Auxiliary::Without);
}

ir::Graph darts_cnn_evaluation(const DartsCnnEvaluationOptions& options, const Task& task) {
  const auto candidates = [drop = options.drop_path](int64_t stride) {
    return evaluation_candidates(stride, drop);
  };
  return network({.channels = options.channels, .layers = options.layers, .nodes = options.nodes},
                 task, {.affine = true, .candidates = candidates},
                 options.auxiliary ? Auxiliary::With : Auxiliary::Without);
}

ir::Graph darts_base(const DartsBaseOptions& options, const Task& task) {
  return network({.channels = options.channels, .layers = options.layers, .nodes = options.nodes},
                 task, {.name = "darts", .affine = true}, Auxiliary::Without);
}

}  // namespace retia
