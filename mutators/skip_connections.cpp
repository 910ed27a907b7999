#include "retia/mutators/skip_connections.h"

#include <algorithm>

#include "retia/engine/ir/match.h"
#include "retia/engine/space/freeze.h"

namespace retia {
namespace {

using Skips = std::map<std::string, int64_t>;

void collect(const ir::Graph& graph, Skips& skips);

void collect(const ir::LayerChoice& choice, Skips& skips) {
  for (size_t k = 0; k < choice.candidates.size(); ++k) {
    ir::match(
        choice.candidates[k].body, [&](const ir::Cell& cell) { collect(cell.graph(), skips); },
        [&](const ir::Operation& operation) {
          if (operation.kind().is_skip()) {
            skips[choice.label] = static_cast<int64_t>(k);
          }
        });
  }
}

void collect(const ir::Graph& graph, Skips& skips) {
  for (const ir::Node& node : graph.nodes()) {
    ir::match(
        node.body, [](const ir::Input&) {}, [](const ir::Placeholder&) {},
        [](const ir::Operation&) {}, [](const ir::InputChoice&) {},
        [&](const ir::Cell& cell) { collect(cell.graph(), skips); },
        [&](const ir::LayerChoice& choice) { collect(choice, skips); });
  }
}

}  // namespace

Skips skip_candidates(const ir::Graph& space) {
  Skips skips;
  collect(space, skips);
  return skips;
}

std::map<std::string, std::vector<std::string>> kept_skips(const ir::Graph& space,
                                                           const Architecture& architecture) {
  const Skips skips = skip_candidates(space);
  std::map<std::string, std::vector<std::string>> kept;
  for (const auto& [label, decision] : ir::canonical(space, architecture)) {
    const auto skip = skips.find(label);
    if (skip == skips.end() || label.find("reduce") != std::string::npos) {
      continue;
    }
    if (std::count(decision.chosen.begin(), decision.chosen.end(), skip->second) > 0) {
      kept[scope_of(label)].push_back(label);
    }
  }
  return kept;
}

}  // namespace retia
