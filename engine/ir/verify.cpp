#include "retia/engine/ir/verify.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/match.h"

namespace retia::ir {
namespace {

void require_name(const std::string& name) {
  const bool malformed = name.empty() || name.front() == '/' || name.back() == '/' ||
                         name.find("//") != std::string::npos ||
                         name.find('.') != std::string::npos;
  TORCH_CHECK(!malformed, "the name '", name, "' is malformed");
}

void require_distinct(const std::vector<std::string>& names) {
  TORCH_CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size(),
              "two candidates have the same name");
}

void check_rules(const Cell& cell) {
  const Graph& graph = cell.graph();
  verify(graph.name(), graph.nodes(), graph.outputs());
  TORCH_CHECK(graph.outputs().size() == 1, "a nested graph has ", graph.outputs().size(),
              " outputs, not one");
}

void check_rules(const LayerChoice& choice) {
  TORCH_CHECK(!choice.label.empty(), "a choice has no label");
  TORCH_CHECK(!choice.candidates.empty(), "a choice has no candidates");
  for (const Candidate& candidate : choice.candidates) {
    require_name(candidate.name);
    match(
        candidate.body, [](const Operation&) {}, [](const Cell& cell) { check_rules(cell); });
  }
  require_distinct(names_of(choice));
}

void check_rules(const InputChoice& choice, size_t n_inputs) {
  TORCH_CHECK(!choice.label.empty(), "a choice has no label");
  TORCH_CHECK(n_inputs > 0 && choice.names.size() == n_inputs, "a choice of ", n_inputs,
              " inputs has ", choice.names.size(), " names");
  require_distinct(choice.names);
  const auto most = static_cast<int64_t>(n_inputs);
  TORCH_CHECK(!choice.n_chosen || (*choice.n_chosen >= 0 && *choice.n_chosen <= most),
              "a choice of ", n_inputs, " inputs chooses ", choice.n_chosen.value_or(0));
  TORCH_CHECK(choice.reduction != Reduction::None, "chosen inputs are not joined");
  TORCH_CHECK(choice.kind != MutableKind::ValueChoice || choice.n_chosen == 1,
              "a value selects more than one input");
}

void check_rules(const Node& node) {
  match(
      node.body,
      [&](const Input&) { TORCH_CHECK(node.inputs.empty(), "an input of the graph reads a node"); },
      [](const Placeholder& placeholder) {
        TORCH_CHECK(!placeholder.label.empty(), "a placeholder has no label");
      },
      [](const Operation&) {}, [](const Cell& cell) { check_rules(cell); },
      [](const LayerChoice& choice) { check_rules(choice); },
      [&](const InputChoice& choice) { check_rules(choice, node.inputs.size()); });
}

void check_primitive(const Operation& operation, const std::vector<Shape>& inputs) {
  TORCH_CHECK(!operation.kind().expand(operation.parameters(), inputs), "'", operation.type(),
              "' is a composite");
}

void check_primitives(const Graph& graph, const std::vector<Shape>& graph_inputs) {
  const std::map<NodeId, Shape> shapes = infer(graph, graph_inputs);
  for (const Node& node : graph.nodes()) {
    const std::vector<Shape> inputs = input_shapes(node, shapes);
    in_context("node '" + node.name + "'", [&] {
      match(
          node.body, [](const Input&) {}, [](const Placeholder&) {}, [](const InputChoice&) {},
          [&](const Operation& operation) { check_primitive(operation, inputs); },
          [](const Cell&) { TORCH_CHECK(false, "a nested graph is no candidate"); },
          [&](const LayerChoice& choice) {
            for (const Candidate& candidate : choice.candidates) {
              match(
                  candidate.body,
                  [&](const Operation& operation) { check_primitive(operation, inputs); },
                  [&](const Cell& cell) { check_primitives(cell.graph(), inputs); });
            }
          });
    });
  }
}

void check_decided(const Node& node) {
  const auto refuse = [] { TORCH_CHECK(false, "it is not decided"); };
  match(
      node.body, [](const Input&) {}, [&](const Placeholder&) { refuse(); },
      [&](const LayerChoice&) { refuse(); }, [&](const InputChoice&) { refuse(); },
      [](const Cell&) { TORCH_CHECK(false, "a nested graph is left"); },
      [&](const Operation& operation) {
        operation.visit_choices([&](const auto&, const auto&) { refuse(); });
      });
}

void check_model(const Graph& graph) {
  std::set<NodeId> needed;
  for (const Output& output : graph.outputs()) {
    needed.insert(output.wire.node);
  }
  for (auto node = graph.nodes().rbegin(); node != graph.nodes().rend(); ++node) {
    in_context("node '" + node->name + "'", [&] {
      check_decided(*node);
      TORCH_CHECK(is_input(*node) || needed.count(node->id) != 0, "it leads to no output");
    });
    for (const Wire wire : node->inputs) {
      needed.insert(wire.node);
    }
  }
}

}  // namespace

void verify(const std::string& name, const std::vector<Node>& nodes,
            const std::vector<Output>& outputs) {
  in_context("graph '" + name + "'", [&] {
    std::set<NodeId> ids;
    std::set<std::string> names;
    for (const Node& node : nodes) {
      in_context("node '" + node.name + "'", [&] {
        require_name(node.name);
        TORCH_CHECK(names.insert(node.name).second, "two nodes have this name");
        for (const Wire wire : node.inputs) {
          TORCH_CHECK(ids.count(wire.node) != 0, "it reads ", wire.node, ", no node before it");
        }
        TORCH_CHECK(node.id >= 0 && ids.insert(node.id).second, "its id ", node.id,
                    " is negative or taken");
        check_rules(node);
      });
    }
    std::set<std::string> output_names;
    for (const Output& output : outputs) {
      TORCH_CHECK(output_names.insert(output.name).second, "two outputs are named '", output.name,
                  "'");
      TORCH_CHECK(ids.count(output.wire.node) != 0, "output '", output.name, "' is no node's");
    }
  });
}

void verify(const Graph& graph, Promise promise) {
  verify(graph.name(), graph.nodes(), graph.outputs());
  if (promise == Promise::Graph) {
    return;
  }
  infer(graph);
  mutables(graph);
  if (promise == Promise::Primitives) {
    check_primitives(graph, graph.input_shapes());
  } else if (promise == Promise::Model) {
    check_model(graph);
  }
}

bool verifies_rewrites() { return std::getenv("RETIA_VERIFY_IR") != nullptr; }

void verify_rewrite(const char* rewrite, const Graph& graph, Promise promise) {
  if (verifies_rewrites()) {
    in_context(std::string("after ") + rewrite, [&] { verify(graph, promise); });
  }
}

Graph verified(const char* rewrite, Graph graph, Promise promise) {
  verify_rewrite(rewrite, graph, promise);
  return graph;
}

}  // namespace retia::ir
