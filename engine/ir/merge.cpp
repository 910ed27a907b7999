#include "retia/engine/ir/merge.h"

#include <algorithm>
#include <numeric>
#include <optional>

#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/lower.h"
#include "retia/engine/ir/verify.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/primitive.h"
#include "retia/engine/operations/reshape.h"

namespace retia::ir {
namespace {

/// A range of channels of a value in the merged graph.
struct Piece {
  NodeId of;
  int64_t begin, size;
  friend auto operator<=>(const Piece&, const Piece&) = default;
};

/// The positions of the channels of a model's value, in order.
using Value = std::vector<Piece>;

/// Returns `values` concatenated; adjacent ranges of one value are joined into one.
Value joined(const std::vector<Value>& values) {
  Value result;
  for (const Value& value : values) {
    for (const Piece& piece : value) {
      if (!result.empty() && result.back().of == piece.of &&
          result.back().begin + result.back().size == piece.begin) {
        result.back().size += piece.size;
      } else {
        result.push_back(piece);
      }
    }
  }
  return result;
}

/// The channels `begin` to `begin + size` - 1 of `value`.
Value part(const Value& value, int64_t begin, int64_t size) {
  Value result;
  int64_t at = 0;
  for (const Piece& piece : value) {
    const int64_t from = std::max(begin, at);
    const int64_t to = std::min(begin + size, at + piece.size);
    if (from < to) {
      result.push_back({piece.of, piece.begin + from - at, to - from});
    }
    at += piece.size;
  }
  return result;
}

int64_t channels_of(const Shape& shape) { return shape.empty() ? 1 : shape.front().value(); }

/// A node of a model whose inputs are there.
struct Ready {
  size_t model;
  size_t position;
  const Node* node;
  std::vector<Value> inputs;
  std::vector<Shape> read;  // shapes of the inputs
};

class Merger {
 public:
  Merger(std::span<const Graph> models, int64_t most_channels)
      : most_channels_(most_channels), merged_{Graph("merged"), {}} {
    TORCH_CHECK(!models.empty(), "there are no models to merge");
    for (const Graph& model : models) {
      models_.push_back(prepared(model));
    }
    check_alike();
    const Node& input = *models_.front().graph.inputs().front();
    const Wire wire = merged_.graph.add(input.name, input.body, {});
    const int64_t n = channels_of(models_.front().graph.input_shapes().front());
    n_channels_[wire.node] = n;
    for (Model& model : models_) {
      model.values[model.position(model.graph.inputs().front()->id)] = {{wire.node, 0, n}};
    }
  }

  MergedGraph merged() {
    for (std::vector<Ready> ready = find_ready(); !ready.empty(); ready = find_ready()) {
      if (!pass_through(ready)) {
        compute(equal_to_tallest(ready));
      }
    }
    const std::vector<Output>& outputs = models_.front().graph.outputs();
    for (size_t k = 0; k < outputs.size(); ++k) {
      std::vector<Value> of_models;
      for (const Model& model : models_) {
        of_models.push_back(model.value(model.graph.outputs()[k].wire));
      }
      merged_.graph.add_output(outputs[k].name, gather(of_models));
    }
    return std::move(merged_);
  }

 private:
  struct Model {
    Graph graph;
    std::map<NodeId, Shape> shapes;
    std::map<NodeId, size_t> positions;
    std::vector<int64_t> heights;  // by position: nodes on the longest way to an output
    std::vector<Value> values;     // by position; empty: not there yet

    size_t position(NodeId id) const { return positions.at(id); }
    const Value& value(Wire wire) const { return values[position(wire.node)]; }
  };

  static Model prepared(const Graph& graph) {
    Model model{lower(graph), {}, {}, {}, {}};
    model.shapes = infer(model.graph);
    const std::vector<Node>& nodes = model.graph.nodes();
    for (size_t i = 0; i < nodes.size(); ++i) {
      TORCH_CHECK(is_input(nodes[i]) || std::holds_alternative<Operation>(nodes[i].body), "node '",
                  nodes[i].name, "' is not decided: only frozen graphs can be merged");
      model.positions[nodes[i].id] = i;
    }
    model.values.resize(nodes.size());
    model.heights.resize(nodes.size());
    for (size_t i = nodes.size(); i-- > 0;) {
      for (const Wire wire : nodes[i].inputs) {
        int64_t& height = model.heights[model.position(wire.node)];
        height = std::max(height, model.heights[i] + 1);
      }
    }
    return model;
  }

  void check_alike() const {
    const auto shape_read = [](const Model& model) {
      TORCH_CHECK(model.graph.inputs().size() == 1, "model '", model.graph.name(), "' reads ",
                  model.graph.inputs().size(), " inputs, expected one");
      return model.graph.input_shapes().front();
    };
    const Model& first = models_.front();
    for (const Model& model : models_) {
      TORCH_CHECK(always_equal(shape_read(model), shape_read(first)),
                  "models that read inputs of shape ", to_string(shape_read(first)), " and ",
                  to_string(shape_read(model)), " cannot be merged");
      TORCH_CHECK(model.graph.outputs().size() == first.graph.outputs().size(), "models of ",
                  first.graph.outputs().size(), " and ", model.graph.outputs().size(),
                  " outputs cannot be merged");
    }
  }

  std::vector<Ready> find_ready() const {
    std::vector<Ready> found;
    for (size_t m = 0; m < models_.size(); ++m) {
      const Model& model = models_[m];
      const std::vector<Node>& nodes = model.graph.nodes();
      for (size_t i = 0; i < nodes.size(); ++i) {
        const bool is_ready = model.values[i].empty() &&
                              std::all_of(nodes[i].inputs.begin(), nodes[i].inputs.end(),
                                          [&](Wire wire) { return !model.value(wire).empty(); });
        if (!is_ready) {
          continue;
        }
        found.push_back({m, i, &nodes[i], {}, input_shapes(nodes[i], model.shapes)});
        for (const Wire wire : nodes[i].inputs) {
          found.back().inputs.push_back(model.value(wire));
        }
      }
    }
    return found;
  }

  /// Handles the nodes of `ready` that only pass channels on, by recording where these are. Returns
  /// false where there is no such node.
  bool pass_through(const std::vector<Ready>& ready) {
    bool any = false;
    for (const Ready& one : ready) {
      const auto& operation = std::get<Operation>(one.node->body);
      const auto ranges = operation.kind().passed_on(operation.parameters(), one.read);
      if (!ranges) {
        continue;
      }
      std::vector<Value> values;
      for (const ChannelRange& range : *ranges) {
        values.push_back(part(one.inputs[range.input], range.begin, range.size));
      }
      value(one) = joined(values);
      any = true;
    }
    return any;
  }

  std::vector<Ready> equal_to_tallest(const std::vector<Ready>& ready) const {
    const auto height = [this](const Ready& one) {
      return models_[one.model].heights[one.position];
    };
    const Ready& tallest =
        *std::max_element(ready.begin(), ready.end(),
                          [&](const Ready& a, const Ready& b) { return height(a) < height(b); });
    std::vector<Ready> equal;
    for (const Ready& one : ready) {
      if (one.read == tallest.read &&
          std::get<Operation>(one.node->body) == std::get<Operation>(tallest.node->body)) {
        equal.push_back(one);
      }
    }
    return equal;
  }

  /// Adds nodes for operations that are all equal, on inputs of equal shapes.
  void compute(std::vector<Ready> group) {
    // In the order of what they read, so that what is joined already stays so.
    std::stable_sort(group.begin(), group.end(),
                     [](const Ready& a, const Ready& b) { return a.inputs < b.inputs; });
    const auto& operation = std::get<Operation>(group.front().node->body);
    const std::vector<Shape>& read = group.front().read;
    const auto layer = operation.kind().make(operation.parameters(), read);
    const bool is_function = std::dynamic_pointer_cast<FunctionLayer>(layer) != nullptr;
    const bool can_widen = operation.widened(read, 1).has_value();
    std::vector<Ready> apart;
    std::vector<std::pair<const Ready*, const Ready*>> copies;  // of which one
    for (size_t i = 0, end = 0; i < group.size(); i = end) {
      end = i + 1;
      while (end < group.size() && group[end].inputs == group[i].inputs) {
        ++end;
      }
      const std::span<const Ready> same(group.begin() + i, group.begin() + end);
      if (same.size() > 1 && can_widen) {
        in_parts(same, most_channels_, [&](std::span<const Ready> some) {
          add(some, *operation.widened(read, n_of(some)), {same.front().inputs});
        });
        continue;
      }
      apart.insert(apart.end(), same.begin(), is_function ? same.begin() + 1 : same.end());
      for (const Ready& copy : is_function ? same.subspan(1) : same.subspan(0, 0)) {
        copies.emplace_back(&copy, &same.front());
      }
    }
    add_stacked(apart, operation, read);
    for (const auto& [copy, of] : copies) {
      value(*copy) = value(*of);
    }
  }

  /// Adds a stacked operation for a group in which no two nodes read the same input.
  void add_stacked(std::span<const Ready> group, const Operation& operation,
                   const std::vector<Shape>& read) {
    const bool can_stack = operation.stacked(read, 1).has_value();
    in_parts(group, can_stack ? most_channels_ : 0, [&](std::span<const Ready> some) {
      std::vector<std::vector<Value>> inputs;
      for (const Ready& one : some) {
        inputs.push_back(one.inputs);
      }
      add(some, some.size() == 1 ? operation : *operation.stacked(read, n_of(some)), inputs);
    });
  }

  /// Calls `visit` with as many of `group` at once as make `most_channels`, one at least.
  template <class Visit>
  void in_parts(std::span<const Ready> group, int64_t most_channels, const Visit& visit) {
    if (group.empty()) {
      return;
    }
    const Shape& made = shape(group.front());
    const bool is_image = made.size() == 3;
    const int64_t most =
        is_image || most_channels == 0 ? most_channels / channels_of(made) : n_of(group);
    const auto step = static_cast<size_t>(std::max<int64_t>(most, 1));
    for (size_t i = 0; i < group.size(); i += step) {
      visit(group.subspan(i, std::min(step, group.size() - i)));
    }
  }

  /// Adds a node that computes `operation` on what `inputs` join, per operand.
  void add(std::span<const Ready> of, const Operation& operation,
           const std::vector<std::vector<Value>>& inputs) {
    std::vector<Wire> wires;
    for (size_t k = 0; k < inputs.front().size(); ++k) {
      std::vector<Value> operand;
      for (const std::vector<Value>& one : inputs) {
        operand.push_back(one[k]);
      }
      wires.push_back(gather(operand));
    }
    const std::string name =
        "model" + std::to_string(of.front().model) + "/" + of.front().node->name;
    const Wire wire = merged_.graph.add(name, operation, wires);
    const int64_t n = channels_of(shape(of.front()));
    n_channels_[wire.node] = n * n_of(of);
    int64_t begin = 0;
    for (const Ready& one : of) {
      value(one) = {{wire.node, begin, n}};
      begin += n;
      merged_.members[name].push_back({one.model, one.node->name});
    }
  }

  /// A wire with `values` one after the other: the one that they are already, or a new one.
  Wire gather(const std::vector<Value>& values) {
    const Value pieces = joined(values);
    const auto found = gathered_.find(pieces);
    if (found != gathered_.end()) {
      return found->second;
    }
    std::vector<Wire> wires;
    for (const Piece& piece : pieces) {
      wires.push_back(cut(piece));
    }
    const Wire wire = wires.size() == 1 ? wires.front()
                                        : merged_.graph.add("join" + std::to_string(++n_joins_),
                                                            ops::concat(), wires);
    return gathered_[pieces] = wire;
  }

  Wire cut(const Piece& piece) {
    const int64_t all = n_channels_.at(piece.of);
    if (piece.size == all) {
      return {piece.of};
    }
    const auto found = gathered_.find({piece});
    if (found != gathered_.end()) {
      return found->second;
    }
    const int64_t unit = std::gcd(std::gcd(piece.begin, piece.size), all);
    return gathered_[{piece}] = merged_.graph.add(
               "cut" + std::to_string(++n_cuts_),
               ops::split(
                   {.index = piece.begin / unit, .of = all / unit, .count = piece.size / unit}),
               {{piece.of}});
  }

  static int64_t n_of(std::span<const Ready> group) { return static_cast<int64_t>(group.size()); }
  const Shape& shape(const Ready& one) const { return models_[one.model].shapes.at(one.node->id); }
  Value& value(const Ready& one) { return models_[one.model].values[one.position]; }

  int64_t most_channels_;
  MergedGraph merged_;
  std::vector<Model> models_;
  std::map<NodeId, int64_t> n_channels_;  // of the nodes of the merged graph
  std::map<Value, Wire> gathered_;
  int64_t n_joins_ = 0, n_cuts_ = 0;
};

}  // namespace

MergedGraph merge(std::span<const Graph> models, int64_t most_channels) {
  MergedGraph merged = Merger(models, most_channels).merged();
  verify_rewrite("merge", merged.graph, Promise::Model);
  return merged;
}

int64_t n_values(const Graph& model) {
  const Graph lowered = lower(model);
  const std::map<NodeId, Shape> shapes = infer(lowered);
  int64_t sum = 0;
  for (const Node& node : lowered.nodes()) {
    if (!is_input(node)) {
      const std::vector<int64_t> sizes = retia::decided(shapes.at(node.id));
      sum += std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>());
    }
  }
  return sum;
}

}  // namespace retia::ir
