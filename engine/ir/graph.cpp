#include "retia/engine/ir/graph.h"

#include <algorithm>
#include <limits>
#include <set>

namespace retia::ir {
namespace {

class MutableCollector {
 public:
  void collect(const Graph& graph, const std::string& prefix) {
    for (const Node& node : graph.nodes()) {
      const std::string path = prefix + node.name;
      if (const auto* choice = std::get_if<LayerChoice>(&node.body)) {
        std::vector<std::string> names;
        for (const Candidate& candidate : choice->candidates) {
          names.push_back(candidate.name);
        }
        add_mutable(found, {.label = choice->label,
                            .kind = MutableKind::LayerChoice,
                            .names = names,
                            .scope = scope_of(path),
                            .zeros = zeros(*choice)});
        TORCH_CHECK(enclosing_.insert(choice->label).second, "layer choice '", path,
                    "' stands inside a choice of its own label '", choice->label,
                    "': give it another label");
        for (const Candidate& candidate : choice->candidates) {
          const std::string inner = path + "/" + candidate.name;
          if (const auto* operation = std::get_if<Operation>(&candidate.body)) {
            collect(*operation, inner);
          } else {
            collect(std::get<Cell>(candidate.body).graph(), inner + "/");
          }
        }
        enclosing_.erase(choice->label);
      } else if (const auto* input_choice = std::get_if<InputChoice>(&node.body)) {
        const bool is_input = input_choice->kind == MutableKind::InputChoice;
        add_mutable(found, {.label = input_choice->label,
                            .kind = input_choice->kind,
                            .names = input_choice->names,
                            .n_chosen = input_choice->n_chosen,
                            .scope = scope_of(path),
                            .fed_by = is_input ? fed_by(graph, node) : std::vector<std::string>()});
      } else if (const auto* operation = std::get_if<Operation>(&node.body)) {
        collect(*operation, path);
      } else if (const auto* cell = std::get_if<Cell>(&node.body)) {
        collect(cell->graph(), path + "/");
      }
    }
  }

  std::vector<Mutable> found;

 private:
  void collect(const Operation& operation, const std::string& path) {
    operation.visit_choices([&](const std::string& label, const std::vector<std::string>& names) {
      add_mutable(found, {.label = label,
                          .kind = MutableKind::ValueChoice,
                          .names = names,
                          .scope = scope_of(path)});
    });
  }

  static std::vector<int64_t> zeros(const LayerChoice& choice) {
    std::vector<int64_t> found_zeros;
    for (size_t k = 0; k < choice.candidates.size(); ++k) {
      const auto* operation = std::get_if<Operation>(&choice.candidates[k].body);
      if (operation != nullptr && operation->type() == "zero") {
        found_zeros.push_back(static_cast<int64_t>(k));
      }
    }
    return found_zeros;
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
  std::vector<std::string> names;
  for (const Candidate& candidate : choice.candidates) {
    check_name(candidate.name);
    names.push_back(candidate.name);
  }
  check_distinct(names);
}

void check_candidates(const InputChoice& choice) {
  check_distinct(choice.names);
  const auto count = static_cast<int64_t>(choice.names.size());
  TORCH_CHECK(!choice.n_chosen || (*choice.n_chosen >= 0 && *choice.n_chosen <= count), "n_chosen ",
              *choice.n_chosen, " is outside 0 to ", count, ", its number of candidates");
}

}  // namespace

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
    if (const auto* choice = std::get_if<LayerChoice>(&added.body)) {
      check_candidates(*choice);
    } else if (const auto* input_choice = std::get_if<InputChoice>(&added.body)) {
      check_candidates(*input_choice);
    }
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
    if (std::holds_alternative<Input>(node.body)) {
      found.push_back(&node);
    }
  }
  return found;
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
      if (const auto* choice = std::get_if<LayerChoice>(&source.body)) {
        makers.insert(choice->label);
      } else if (std::holds_alternative<Operation>(source.body)) {
        for (const Wire before : source.inputs) {
          open.push_back(before.node);
        }
      }
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
