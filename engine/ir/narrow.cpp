#include "retia/engine/ir/narrow.h"

namespace retia::ir {
namespace {

Body narrowed(Body body, const Kept& kept) {
  if (const auto* cell = std::get_if<Cell>(&body)) {
    return Cell(ir::narrowed(cell->graph(), kept));
  }
  return body;
}

LayerChoice narrowed(const LayerChoice& choice, const Kept& kept) {
  const auto names = kept.find(choice.label);
  LayerChoice result{choice.label, {}};
  for (const Candidate& candidate : choice.candidates) {
    if (names == kept.end() || names->second.count(candidate.name) != 0) {
      result.candidates.push_back({candidate.name, narrowed(candidate.body, kept)});
    }
  }
  TORCH_CHECK(!result.candidates.empty(), "layer choice '", choice.label,
              "' would keep no candidate");
  return result;
}

}  // namespace

Graph narrowed(const Graph& space, const Kept& kept) {
  Graph result(space.name());
  for (Node node : space.nodes()) {
    if (const auto* choice = std::get_if<LayerChoice>(&node.body)) {
      node.body = narrowed(*choice, kept);
    } else if (const auto* cell = std::get_if<Cell>(&node.body)) {
      node.body = Cell(narrowed(cell->graph(), kept));
    }
    result.add(std::move(node));
  }
  for (const Output& output : space.outputs()) {
    result.add_output(output.name, output.wire);
  }
  return result;
}

}  // namespace retia::ir
