#include "retia/engine/ir/graph.h"

#include <algorithm>
#include <limits>
#include <set>

#include "retia/engine/ir/match.h"

namespace retia::ir {
namespace {

class MutableCollector {
 public:
  void collect(const Graph& graph, const std::string& prefix) {
    for (const Node& node : graph.nodes()) {
      const std::string path = prefix + node.name;
      match(
          node.body, [](const Input&) {}, [](const Placeholder&) {},
          [&](const Operation& operation) { collect(operation, path); },
          [&](const Cell& cell) { collect(cell, path); },
          [&](const LayerChoice& choice) { collect(choice, path); },
          [&](const InputChoice& choice) { collect(choice, graph, node, path); });
    }
  }

  std::vector<Mutable> found;

 private:
  void collect(const Cell& cell, const std::string& path) { collect(cell.graph(), path + "/"); }

  void collect(const LayerChoice& choice, const std::string& path) {
    Mutable described = mutable_of(choice);
    described.scope = scope_of(path);
    add_mutable(found, std::move(described));
    TORCH_CHECK(enclosing_.insert(choice.label).second, "layer choice '", path,
                "' stands inside a choice of its own label '", choice.label,
                "': give it another label");
    for (const Candidate& candidate : choice.candidates) {
      std::visit([&](const auto& body) { collect(body, path + "/" + candidate.name); },
                 candidate.body);
    }
    enclosing_.erase(choice.label);
  }

  void collect(const InputChoice& choice, const Graph& graph, const Node& node,
               const std::string& path) {
    Mutable described = mutable_of(choice);
    described.scope = scope_of(path);
    if (choice.kind == MutableKind::InputChoice) {
      described.fed_by = fed_by(graph, node);
    }
    add_mutable(found, std::move(described));
  }

  void collect(const Operation& operation, const std::string& path) {
    operation.visit_choices([&](const std::string& label, const std::vector<std::string>& names) {
      add_mutable(found, {.label = label,
                          .kind = MutableKind::ValueChoice,
                          .names = names,
                          .scope = scope_of(path)});
    });
  }

  std::set<std::string> enclosing_;
};

void check_name(const std::string& name) {
  const bool malformed = name.empty() || name.front() == '/' || name.back() == '/' ||
                         name.find("//") != std::string::npos;
  TORCH_CHECK(!malformed, "'", name,
              "' is no name of a node: parts separated by single '/' are expected");
  TORCH_CHECK(name.find('.') == std::string::npos, "the name '", name,
              "' has a dot, which separates modules from their parameters: use '/' or '_'");
}

void check_distinct(const std::vector<std::string>& names) {
  std::set<std::string> seen;
  for (const std::string& name : names) {
    TORCH_CHECK(seen.insert(name).second, "two candidates are named '", name,
                "': give them different names");
  }
}

void check_candidates(const LayerChoice& choice) {
  for (const Candidate& candidate : choice.candidates) {
    check_name(candidate.name);
  }
  check_distinct(names_of(choice));
}

void check_candidates(const InputChoice& choice) {
  check_distinct(choice.names);
  const auto count = static_cast<int64_t>(choice.names.size());
  TORCH_CHECK(!choice.n_chosen || (*choice.n_chosen >= 0 && *choice.n_chosen <= count), "n_chosen ",
              *choice.n_chosen, " is outside 0 to ", count, ", its number of candidates");
}

}  // namespace

bool is_input(const Node& node) { return std::holds_alternative<Input>(node.body); }

std::vector<std::string> names_of(const LayerChoice& choice) {
  std::vector<std::string> names;
  for (const Candidate& candidate : choice.candidates) {
    names.push_back(candidate.name);
  }
  return names;
}

Mutable mutable_of(const LayerChoice& choice) {
  Mutable described{.label = choice.label, .names = names_of(choice)};
  for (size_t k = 0; k < choice.candidates.size(); ++k) {
    const bool is_zero = match(
        choice.candidates[k].body,
        [](const Operation& operation) { return operation.kind().always_zero(); },
        [](const Cell&) { return false; });
    if (is_zero) {
      described.zeros.push_back(static_cast<int64_t>(k));
    }
  }
  return described;
}

Mutable mutable_of(const InputChoice& choice) {
  return {.label = choice.label,
          .kind = choice.kind,
          .names = choice.names,
          .n_chosen = choice.n_chosen};
}

Cell::Cell(Graph graph) : graph_(std::make_unique<Graph>(std::move(graph))) {}
Cell::Cell(const Cell& other) : graph_(std::make_unique<Graph>(*other.graph_)) {}
Cell::Cell(Cell&& other) noexcept = default;
Cell& Cell::operator=(Cell other) noexcept {
  graph_.swap(other.graph_);
  return *this;
}
Cell::~Cell() = default;
bool operator==(const Cell& a, const Cell& b) { return *a.graph_ == *b.graph_; }

const Node& Graph::node(NodeId id) const {
  const auto found = std::find_if(nodes_.rbegin(), nodes_.rend(),
                                  [id](const Node& node) { return node.id == id; });
  TORCH_CHECK(found != nodes_.rend(), "graph '", name_, "' has no node with id ", id,
              ": a wire of another graph was given");
  return *found;
}

Wire Graph::add(std::string name, decltype(Node::body) body, std::vector<Wire> inputs) {
  return add(Node{next_id_, std::move(name), std::move(body), std::move(inputs)});
}

Wire Graph::add(Node added) {
  check_name(added.name);
  TORCH_CHECK(added.id >= 0 && added.id < std::numeric_limits<NodeId>::max(), "graph '", name_,
              "': ", added.id, " is no id of a node, which counts from 0");
  for (const Node& node : nodes_) {
    TORCH_CHECK(node.name != added.name, "graph '", name_, "' has two nodes named '", node.name,
                "': give one of them another name or scope");
    TORCH_CHECK(node.id != added.id, "graph '", name_, "' has two nodes with id ", node.id);
  }
  for (const Wire wire : added.inputs) {
    node(wire);
  }
  in_context("node '" + added.name + "'", [&] {
    match(
        added.body, [](const Input&) {}, [](const Placeholder&) {}, [](const Operation&) {},
        [](const Cell&) {}, [](const LayerChoice& choice) { check_candidates(choice); },
        [](const InputChoice& choice) { check_candidates(choice); });
  });
  next_id_ = std::max(next_id_, added.id + 1);
  nodes_.push_back(std::move(added));
  return {nodes_.back().id};
}

void Graph::add_output(std::string name, Wire wire) {
  for (const Output& output : outputs_) {
    TORCH_CHECK(output.name != name, "graph '", name_, "' has two outputs named '", name, "'");
  }
  node(wire);
  outputs_.push_back({std::move(name), wire});
}

std::vector<const Node*> Graph::inputs() const {
  std::vector<const Node*> found;
  for (const Node& node : nodes_) {
    if (is_input(node)) {
      found.push_back(&node);
    }
  }
  return found;
}

std::vector<Shape> Graph::input_shapes() const {
  std::vector<Shape> shapes;
  for (const Node* input : inputs()) {
    shapes.push_back(std::get<Input>(input->body).shape);
  }
  return shapes;
}

std::vector<std::string> fed_by(const Graph& graph, const Node& node) {
  std::vector<std::string> labels;
  for (const Wire wire : node.inputs) {
    std::set<std::string> makers;
    std::set<NodeId> seen;
    std::vector<NodeId> open = {wire.node};
    while (!open.empty()) {
      const Node& source = graph.node(open.back());
      open.pop_back();
      if (!seen.insert(source.id).second) {
        continue;
      }
      match(
          source.body, [](const Input&) {}, [](const Placeholder&) {}, [](const Cell&) {},
          [](const InputChoice&) {},
          [&](const LayerChoice& choice) { makers.insert(choice.label); },
          [&](const Operation&) {
            for (const Wire before : source.inputs) {
              open.push_back(before.node);
            }
          });
    }
    labels.push_back(makers.size() == 1 ? *makers.begin() : "");
  }
  return labels;
}

std::vector<Mutable> mutables(const Graph& graph) {
  MutableCollector collector;
  collector.collect(graph, "");
  return collector.found;
}

}  // namespace retia::ir
