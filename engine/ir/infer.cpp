#include "retia/engine/ir/infer.h"

#include "retia/engine/ir/match.h"
#include "retia/engine/symbolic/channels.h"

namespace retia::ir {
namespace {

std::string listed(const std::vector<Shape>& shapes) {
  std::string text;
  for (const Shape& shape : shapes) {
    text += (text.empty() ? "" : ", ") + to_string(shape);
  }
  return text;
}

/// The shape of one of `shapes` as `label` decides.
Shape chosen_shape(const std::string& label, const std::vector<std::string>& names,
                   const std::vector<Shape>& shapes) {
  Shape result = shapes.front();
  for (size_t k = 1; k < shapes.size(); ++k) {
    TORCH_CHECK(shapes[k].size() == result.size(), "candidate '", names.front(), "' makes ",
                to_string(result), " and candidate '", names[k], "' makes ", to_string(shapes[k]),
                ": the same number of dimensions is expected");
  }
  for (size_t d = 0; d < result.size(); ++d) {
    bool equal = true;
    std::vector<Expression> sizes;
    for (const Shape& shape : shapes) {
      equal = equal && always_equal(shape[d].expression(), result[d].expression());
      sizes.push_back(shape[d].expression());
    }
    if (!equal) {
      result[d] = Expression::choice(label, sizes);
    }
  }
  return result;
}

Shape joined_shape(const InputChoice& choice, const std::vector<Shape>& shapes) {
  TORCH_CHECK(!shapes.empty(), "an input choice needs at least one candidate");
  TORCH_CHECK(choice.names.size() == shapes.size(), "expected ", shapes.size(),
              " candidate names, got ", choice.names.size());
  TORCH_CHECK(choice.reduction != Reduction::None,
              "reduction 'none' makes a list, which no node can read: use sum, mean or concat");
  if (choice.n_chosen == 1) {
    return chosen_shape(choice.label, choice.names, shapes);
  }
  for (size_t k = 1; k < shapes.size(); ++k) {
    TORCH_CHECK(always_equal(shapes[k], shapes.front()), "candidate '", choice.names.front(),
                "' is ", to_string(shapes.front()), " and candidate '", choice.names[k], "' is ",
                to_string(shapes[k]), ": equal shapes are expected where several are chosen");
  }
  Shape result = shapes.front();
  if (choice.reduction == Reduction::Concat) {
    TORCH_CHECK(choice.n_chosen && *choice.n_chosen > 0,
                "concat needs a fixed number of chosen inputs: give n_chosen");
    TORCH_CHECK(!result.empty(), "concat needs inputs with at least one dimension, got []");
    const Dim one = result.front();
    for (int64_t k = 1; k < *choice.n_chosen; ++k) {
      result.front() = joined(result.front(), one);
    }
  }
  return result;
}

Shape shape_of(const Operation& operation, const std::vector<Shape>& inputs) {
  return in_context(operation.type(),
                    [&] { return operation.kind().infer(operation.parameters(), inputs); });
}

Shape shape_of(const Cell& nested, const std::vector<Shape>& inputs) {
  const Graph& cell = nested.graph();
  TORCH_CHECK(cell.outputs().size() == 1, "cell '", cell.name(), "' needs one output, got ",
              cell.outputs().size());
  return infer(cell, inputs).at(cell.outputs().front().wire.node);
}

Shape shape_of(const LayerChoice& choice, const std::vector<Shape>& inputs) {
  TORCH_CHECK(!choice.candidates.empty(), "a layer choice needs at least one candidate");
  std::vector<Shape> shapes;
  for (const Candidate& candidate : choice.candidates) {
    shapes.push_back(in_context("candidate '" + candidate.name + "'",
                                [&] { return infer(candidate.body, inputs); }));
  }
  return chosen_shape(choice.label, names_of(choice), shapes);
}

}  // namespace

Shape infer(const Body& body, const std::vector<Shape>& inputs) {
  return std::visit([&](const auto& held) { return shape_of(held, inputs); }, body);
}

Shape infer(const Node& node, const std::vector<Shape>& inputs) {
  return in_context("node '" + node.name + "'", [&] {
    return match(
        node.body, [](const Input& input) { return input.shape; },
        [](const Placeholder& placeholder) { return placeholder.shape; },
        [&](const Operation& operation) { return shape_of(operation, inputs); },
        [&](const Cell& cell) { return shape_of(cell, inputs); },
        [&](const LayerChoice& choice) { return shape_of(choice, inputs); },
        [&](const InputChoice& choice) { return joined_shape(choice, inputs); });
  });
}

std::vector<Shape> input_shapes(const Node& node, const std::map<NodeId, Shape>& shapes) {
  std::vector<Shape> read;
  for (const Wire wire : node.inputs) {
    read.push_back(shapes.at(wire.node));
  }
  return read;
}

std::map<NodeId, Shape> infer(const Graph& graph) { return infer(graph, graph.input_shapes()); }

std::map<NodeId, Shape> infer(const Graph& graph, const std::vector<Shape>& inputs) {
  TORCH_CHECK(graph.inputs().size() == inputs.size(), "'", graph.name(), "' reads ",
              graph.inputs().size(), " inputs, got ", inputs.size(), ": ", listed(inputs));
  std::map<NodeId, Shape> shapes;
  size_t next_input = 0;
  for (const Node& node : graph.nodes()) {
    shapes[node.id] =
        is_input(node) ? inputs[next_input++] : infer(node, input_shapes(node, shapes));
  }
  return shapes;
}

}  // namespace retia::ir
