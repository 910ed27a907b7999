#include "retia/engine/executor/passes/mixed_ops.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "retia/engine/executor/passes/summed_edges.h"

namespace retia::executor {
namespace {

/// Makes each layer choice that the operation can blend an instruction of its own.
std::vector<MixedOpsPtr> fuse_each(Program& program) {
  std::vector<MixedOpsPtr> found;
  for (const InstructionPtr& instruction : program.instructions) {
    if (auto choice = mixed_choice(program, instruction)) {
      const Value made = instruction->outputs().front();
      found.push_back(std::make_shared<MixedOps>(
          Instruction::Slot{instruction->place(), instruction->inputs(), {made}, {instruction}},
          std::vector{BlendedEdge{std::move(choice), made}}));
    }
  }
  for (const MixedOpsPtr& instruction : found) {
    program.put(instruction);
  }
  return found;
}

/// Returns what all siblings have in common.
auto kind_of(const MixedOps& instruction) {
  const MixedChoice& choice = *instruction.edges().front().choice;
  for (const RecognisedBranch& candidate : choice.candidates) {
    if (candidate.is_known() && !candidate.norms.empty()) {
      const Norm& norm = candidate.norms.front();
      return std::tuple(choice.x(), choice.stride, norm.epsilon, norm.layer->momentum());
    }
  }
  return std::tuple(choice.x(), choice.stride, 0.0, 0.0);
}

/// Joins siblings: they read the input once.
std::vector<MixedOpsPtr> join(Program& program, const std::vector<MixedOpsPtr>& all) {
  std::map<decltype(kind_of(*all.front())), std::vector<MixedOpsPtr>> siblings;
  for (const MixedOpsPtr& instruction : all) {
    siblings[kind_of(*instruction)].push_back(instruction);
  }
  std::vector<MixedOpsPtr> joined;
  for (const auto& [kind, members] : siblings) {
    if (members.size() == 1) {
      joined.push_back(members.front());
      continue;
    }
    Instruction::Slot slot{.place = members.front()->place(), .inputs = {std::get<0>(kind)}};
    std::vector<BlendedEdge> edges;
    for (const MixedOpsPtr& member : members) {
      edges.push_back(member->edges().front());
      slot.outputs.push_back(edges.back().made);
      slot.replaced.push_back(member);
    }
    joined.push_back(std::make_shared<MixedOps>(std::move(slot), std::move(edges)));
    program.put(joined.back());
  }
  std::sort(joined.begin(), joined.end(),
            [](const MixedOpsPtr& a, const MixedOpsPtr& b) { return a->place() < b->place(); });
  return joined;
}

}  // namespace

Program fuse_mixed_ops(Program program) {
  sum_edges(program, join(program, fuse_each(program)));
  return program;
}

}  // namespace retia::executor
