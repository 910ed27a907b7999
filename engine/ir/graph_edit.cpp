#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "retia/engine/base/suggest.h"
#include "retia/engine/ir/graph.h"
#include "retia/engine/ir/match.h"
#include "retia/engine/ir/verify.h"

namespace retia::ir {
namespace {

/// Returns the label of a node that waits for a decision; none for any other node.
std::optional<std::string> label_of(const Node& node) {
  using Label = std::optional<std::string>;
  return match(
      node.body, [](const Input&) -> Label { return std::nullopt; },
      [](const Operation&) -> Label { return std::nullopt; },
      [](const Cell&) -> Label { return std::nullopt; },
      [](const auto& waiting) -> Label { return waiting.label; });
}

template <class Admits>
std::vector<NodeId> ids_where(const std::vector<Node>& nodes, const Admits& admits) {
  std::vector<NodeId> ids;
  for (const Node& node : nodes) {
    if (admits(node)) {
      ids.push_back(node.id);
    }
  }
  return ids;
}

/// Sorts nodes so that each stands after its inputs; otherwise keeps their order.
class Order {
 public:
  explicit Order(const Graph& graph) : graph_(graph) {
    for (const Node& node : graph.nodes()) {
      positions_.emplace(node.id, positions_.size());
    }
    for (const Node& node : graph.nodes()) {
      place(node);
    }
  }

  /// Positions in the graph, in the new order.
  std::vector<size_t> positions;

 private:
  void place(const Node& node) {
    if (placed_.count(node.id) != 0) {
      return;
    }
    TORCH_CHECK(open_.insert(node.id).second, "graph '", graph_.name(), "': node '", node.name,
                "' would read what it makes: connect it to earlier nodes");
    for (const Wire wire : node.inputs) {
      place(graph_.nodes()[positions_.at(wire.node)]);
    }
    placed_.insert(node.id);
    positions.push_back(positions_.at(node.id));
  }

  const Graph& graph_;
  std::unordered_map<NodeId, size_t> positions_;
  std::unordered_set<NodeId> open_, placed_;
};

}  // namespace

std::vector<NodeId> Graph::labelled(const std::string& label) const {
  return ids_where(nodes_, [&](const Node& node) { return label_of(node) == label; });
}

std::vector<NodeId> Graph::of_type(const std::string& type) const {
  return ids_where(nodes_, [&](const Node& node) {
    return match(
        node.body, [&](const Operation& operation) { return operation.type() == type; },
        [&](const Cell&) { return type == "cell"; }, [](const Input&) { return false; },
        [](const Placeholder&) { return false; }, [](const LayerChoice&) { return false; },
        [](const InputChoice&) { return false; });
  });
}

NodeId Graph::named(const std::string& name) const {
  std::vector<std::string> names;
  for (const Node& node : nodes_) {
    if (node.name == name) {
      return node.id;
    }
    names.push_back(node.name);
  }
  TORCH_CHECK(false, "graph '", name_, "' has no node '", name, "'", suggestion(name, names));
}

Node& Graph::editable(NodeId id) { return nodes_[static_cast<size_t>(&node(id) - nodes_.data())]; }

void Graph::update_operation(NodeId node, Body body) {
  Node& edited = editable(node);
  TORCH_CHECK(!is_input(edited), "node '", edited.name,
              "' is an input of the graph: it computes nothing");
  std::visit([&](auto& held) { edited.body = std::move(held); }, body);
  verify_rewrite("update_operation", *this, Promise::Graph);
}

void Graph::specialise(NodeId node, const std::function<void(Graph&)>& edit) {
  Node& edited = editable(node);
  const auto* cell = std::get_if<Cell>(&edited.body);
  TORCH_CHECK(cell != nullptr, "node '", edited.name, "' is no nested graph");
  Graph graph = cell->graph();
  edit(graph);
  edited.body = Cell(std::move(graph));
  verify_rewrite("specialise", *this, Promise::Graph);
}

Wire Graph::insert(std::string name, Body body, Wire from, NodeId to) {
  const std::vector<Wire> read = node(to).inputs;
  TORCH_CHECK(std::find(read.begin(), read.end(), from) != read.end(), "node '", node(to).name,
              "' does not read node '", node(from).name, "': nothing can stand between them");
  const Wire added =
      std::visit([&](auto& held) { return add(std::move(name), std::move(held), {from}); }, body);
  std::vector<Wire>& inputs = editable(to).inputs;
  std::replace(inputs.begin(), inputs.end(), from, added);
  sort();
  verify_rewrite("insert", *this, Promise::Graph);
  return added;
}

Wire Graph::insert_after(std::string name, Body body, Wire from) {
  const Wire added =
      std::visit([&](auto& held) { return add(std::move(name), std::move(held), {from}); }, body);
  redirect(from, added);
  editable(added.node).inputs = {from};
  sort();
  verify_rewrite("insert_after", *this, Promise::Graph);
  return added;
}

void Graph::connect(NodeId node, std::vector<Wire> inputs) {
  for (const Wire wire : inputs) {
    this->node(wire);
  }
  std::swap(editable(node).inputs, inputs);
  try {
    sort();
  } catch (...) {
    editable(node).inputs = std::move(inputs);
    throw;
  }
  verify_rewrite("connect", *this, Promise::Graph);
}

void Graph::remove(NodeId node) {
  const Node removed = this->node(node);
  TORCH_CHECK(!is_input(removed), "node '", removed.name,
              "' is an input of the graph: it cannot be removed");
  if (removed.inputs.size() == 1) {
    redirect({node}, removed.inputs.front());
  }
  for (const Node& reader : nodes_) {
    TORCH_CHECK(
        std::find(reader.inputs.begin(), reader.inputs.end(), Wire{node}) == reader.inputs.end(),
        "node '", removed.name, "' has ", removed.inputs.size(), " inputs and node '", reader.name,
        "' reads it: connect that to something else first");
  }
  for (const Output& output : outputs_) {
    TORCH_CHECK(output.wire.node != node, "node '", removed.name, "' has ", removed.inputs.size(),
                " inputs and is the output '", output.name, "': it cannot be removed");
  }
  nodes_.erase(std::find_if(nodes_.begin(), nodes_.end(),
                            [node](const Node& candidate) { return candidate.id == node; }));
  verify_rewrite("remove", *this, Promise::Graph);
}

/// Makes all readers of `from` read `to` instead.
void Graph::redirect(Wire from, Wire to) {
  for (Node& reader : nodes_) {
    std::replace(reader.inputs.begin(), reader.inputs.end(), from, to);
  }
  for (Output& output : outputs_) {
    output.wire = output.wire == from ? to : output.wire;
  }
}

void Graph::sort() {
  const Order order(*this);
  std::vector<Node> sorted;
  for (const size_t position : order.positions) {
    sorted.push_back(std::move(nodes_[position]));
  }
  nodes_ = std::move(sorted);
}

}  // namespace retia::ir
