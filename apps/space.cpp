#include <iostream>
#include <numeric>

#include "retia/apps/commands.h"
#include "retia/apps/workbench.h"
#include "retia/engine/cost/cost_measure.h"
#include "retia/engine/cost/profile.h"
#include "retia/engine/executor/explain.h"
#include "retia/engine/executor/network.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/ir/match.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/engine/space/search_space_json.h"

namespace retia {
namespace {

/// Returns what Graphviz draws of a node named `name`: choices are boxes, what computes are
/// ellipses.
std::string attributes(const std::string& name, const decltype(ir::Node::body)& body) {
  const auto ellipse = [&](const std::string& below) { return "[label=\"" + name + below + "\"]"; };
  const auto box = [&](const std::string& below) {
    return "[label=\"" + name + below + "\", shape=box]";
  };
  return ir::match(
      body, [&](const ir::Input&) { return ellipse(""); },
      [&](const ir::Cell&) { return ellipse(""); },
      [&](const ir::Operation& operation) { return ellipse("\\n" + operation.type()); },
      [&](const ir::Placeholder& waiting) { return ellipse("\\nwaits for " + waiting.label); },
      [&](const ir::LayerChoice& choice) {
        std::string names;
        for (const std::string& candidate : names_of(choice)) {
          names += "\\n" + candidate;
        }
        return box(names);
      },
      [&](const ir::InputChoice& choice) {
        const std::string n = choice.n_chosen ? std::to_string(*choice.n_chosen) : "any";
        return box("\\n" + n + " of " + std::to_string(choice.names.size()));
      });
}

/// Returns the graph as Graphviz reads it.
std::string to_dot(const ir::Graph& graph) {
  std::string text = "digraph \"" + graph.name() + "\" {\n  rankdir=TB;\n";
  for (const ir::Node& node : graph.nodes()) {
    text += "  n" + std::to_string(node.id) + " " + attributes(node.name, node.body) + ";\n";
    for (const Wire wire : node.inputs) {
      text += "  n" + std::to_string(wire.node) + " -> n" + std::to_string(node.id) + ";\n";
    }
  }
  return text + "}\n";
}

/// Milliseconds of each primitive of a frozen graph, in order.
std::vector<double> latencies(const ir::Graph& model, const std::string& table) {
  const ir::OperationCost latency = operation_cost(CostMeasure::Latency, table, model.name());
  std::vector<double> found;
  ir::each_primitive(model, [&](const ir::PrimitiveUse& primitive) {
    found.push_back(latency(primitive.operation, primitive.inputs));
  });
  return found;
}

/// table: of latencies; empty: without them.
void print_profile(const ir::Graph& model, const std::string& table) {
  const std::vector<double> ms = table.empty() ? std::vector<double>() : latencies(model, table);
  std::cout << "multiply-adds  parameters  " << (ms.empty() ? "" : "ms  ") << "output  operation\n";
  const std::vector<ir::NodeCost> nodes = ir::profile(model);
  for (size_t i = 0; i < nodes.size(); ++i) {
    const ir::NodeCost& node = nodes[i];
    std::cout << node.cost.multiply_adds.value() << "  " << node.cost.parameters.value() << "  "
              << (ms.empty() ? "" : c10::str(ms[i], "  ")) << ir::to_string(node.output) << "  "
              << node.name << " (" << node.type << ")\n";
  }
  const ir::Cost total = ir::total_cost(model);
  std::cout << "total: " << total.multiply_adds.value() << " multiply-adds, "
            << total.parameters.value() << " parameters";
  if (!ms.empty()) {
    std::cout << ", " << std::accumulate(ms.begin(), ms.end(), 0.0) << " ms";
  }
  std::cout << '\n';
}

void print_summary(const ir::Graph& space, const std::vector<Mutable>& mutables) {
  std::cout << "space " << space.name() << ": " << mutables.size() << " decisions\n";
  for (const Mutable& choice : mutables) {
    std::cout << "  " << choice.label << ": " << to_string(choice.kind) << ", "
              << (choice.n_chosen ? std::to_string(*choice.n_chosen) : "any number") << " of";
    for (const std::string& name : choice.names) {
      std::cout << ' ' << name;
    }
    std::cout << '\n';
  }
}

struct SpaceOptions {
  std::string format = "text";
  bool profile = false, plan = false;
};
std::vector<Option> declared(SpaceOptions& o) {
  return {option("format", o.format, Names{{"text", "ir", "search-space", "dot"}}, "output format"),
          option("profile", o.profile,
                 "costs of each operation of --architecture, or with the first candidates"),
          option("plan", o.plan, "what the fused executor makes of the search network")};
}

int run_space(const Program& program, const Config& config, const SpaceOptions& options) {
  const int n_outputs = (options.profile ? 1 : 0) + (options.plan ? 1 : 0) +
                        (options.format == SpaceOptions().format ? 0 : 1);
  TORCH_CHECK(n_outputs <= 1,
              "space: --profile, --plan and --format print different things: give one of them");
  const DataSplits data = program.data_sets.load(config.data);
  const ir::Space space = explored_space(
      program, config, {data.train.sample_shape(), std::max<int64_t>(data.train.n_classes, 1)});
  const std::vector<Mutable>& mutables = space.mutables();
  if (options.profile) {
    print_profile(
        space.model(config.run.architecture.empty()
                        ? space.completed({})
                        : read_architecture(config.run.architecture, mutables, config.space)),
        config.profile.table);
  } else if (options.plan) {
    std::cout << executor::explain(Network(space.supernet(), 0)->program());
  } else if (options.format == "ir") {
    std::cout << ir::to_json(space.graph()).dump(2) << '\n';
  } else if (options.format == "search-space") {
    std::cout << search_space_to_json(mutables).dump(2) << '\n';
  } else if (options.format == "dot") {
    std::cout << to_dot(space.graph());
  } else {
    print_summary(space.graph(), mutables);
  }
  return kDone;
}

}  // namespace

Command commands::space() {
  return configured({.name = "space",
                     .summary = "shows a space: choices, graph, costs, what is fused",
                     .positional = "space.name",
                     .flags = {"space", "architecture", "data", "data-dir", "table", "evaluator"},
                     .sections = {"evaluator", "profile"}},
                    run_space);
}

}  // namespace retia
