#include "retia/engine/ir/narrow.h"

#include "retia/engine/ir/match.h"
#include "retia/engine/ir/verify.h"

namespace retia::ir {
namespace {

Cell narrowed(const Cell& cell, const Kept& kept) { return Cell(ir::narrowed(cell.graph(), kept)); }

LayerChoice narrowed(const LayerChoice& choice, const Kept& kept) {
  const auto names = kept.find(choice.label);
  LayerChoice result{choice.label, {}};
  for (const Candidate& candidate : choice.candidates) {
    if (names == kept.end() || names->second.count(candidate.name) != 0) {
      result.candidates.push_back(
          {candidate.name,
           match(
               candidate.body, [](const Operation& operation) -> Body { return operation; },
               [&](const Cell& cell) -> Body { return narrowed(cell, kept); })});
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
    match(
        node.body, [](const Input&) {}, [](const Placeholder&) {}, [](const Operation&) {},
        [](const InputChoice&) {}, [&](LayerChoice& choice) { choice = narrowed(choice, kept); },
        [&](Cell& cell) { cell = narrowed(cell, kept); });
    result.add(std::move(node));
  }
  for (const Output& output : space.outputs()) {
    result.add_output(output.name, output.wire);
  }
  return verified("narrow", std::move(result), Promise::Space);
}

}  // namespace retia::ir
