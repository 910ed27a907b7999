#include <iostream>
#include <numeric>

#include "retia/apps/commands.h"
#include "retia/apps/workbench.h"
#include "retia/engine/architecture_json.h"
#include "retia/engine/cost_measure.h"
#include "retia/engine/executor/plan.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/ir/profile.h"
#include "retia/engine/search_space_json.h"

namespace retia {
namespace {

/// The graph for Graphviz: choices are boxes, what computes are ellipses.
std::string to_dot(const ir::Graph& graph) {
  std::string text = "digraph \"" + graph.name() + "\" {\n  rankdir=TB;\n";
  for (const ir::Node& node : graph.nodes()) {
    std::string what = node.name;
    const bool is_choice = std::holds_alternative<ir::LayerChoice>(node.body) ||
                           std::holds_alternative<ir::InputChoice>(node.body);
    if (const auto* operation = std::get_if<ir::Operation>(&node.body)) {
      what += "\\n" + operation->type();
    } else if (const auto* choice = std::get_if<ir::LayerChoice>(&node.body)) {
      for (const ir::Candidate& candidate : choice->candidates) {
        what += "\\n" + candidate.name;
      }
    } else if (const auto* placeholder = std::get_if<ir::Placeholder>(&node.body)) {
      what += "\\nwaits for " + placeholder->label;
    } else if (const auto* inputs = std::get_if<ir::InputChoice>(&node.body)) {
      what += "\\n" + (inputs->n_chosen ? std::to_string(*inputs->n_chosen) : "any") + " of " +
              std::to_string(inputs->names.size());
    }
    text += "  n" + std::to_string(node.id) + " [label=\"" + what + "\"" +
            (is_choice ? ", shape=box" : "") + "];\n";
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
  ir::each_primitive(model, [&](const ir::Primitive& primitive) {
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

}  // namespace

int commands::space(const Program& program, const Config& config) {
  const DataSplits data = program.data_sets.load(config.data);
  const ir::Space space = explored_space(
      program, config, {data.train.sample_shape(), std::max<int64_t>(data.train.n_classes, 1)});
  const std::vector<Mutable>& mutables = space.mutables();
  if (config.run.profile) {
    print_profile(
        space.model(config.run.architecture.empty()
                        ? space.completed({})
                        : read_architecture(config.run.architecture, mutables, config.space)),
        config.profile.table);
  } else if (config.run.plan) {
    std::cout << plan_of(space.supernet());
  } else if (config.run.format == "ir") {
    std::cout << ir::to_json(space.graph()).dump(2) << '\n';
  } else if (config.run.format == "search-space") {
    std::cout << search_space_to_json(mutables).dump(2) << '\n';
  } else if (config.run.format == "dot") {
    std::cout << to_dot(space.graph());
  } else {
    print_summary(space.graph(), mutables);
  }
  return kDone;
}

}  // namespace retia
