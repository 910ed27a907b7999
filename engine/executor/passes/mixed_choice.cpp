#include "retia/engine/executor/passes/mixed_choice.h"

#include <algorithm>

namespace retia::executor {

bool alike(const Norm& a, const Norm& b) {
  return a.epsilon == b.epsilon && a.layer->momentum() == b.layer->momentum() &&
         a.layer->is_training() == b.layer->is_training() &&
         a.layer->keeps_statistics() == b.layer->keeps_statistics() &&
         a.layer->synchronised() == b.layer->synchronised() &&
         a.running_mean.scalar_type() == b.running_mean.scalar_type();
}

const Norm* MixedChoice::common_norm(const Verdict& verdict) const {
  const Norm* first = nullptr;
  for (const int64_t index : verdict.chosen) {
    if (!candidate(index).is_known()) {
      continue;
    }
    for (const Norm& norm : candidate(index).norms) {
      first = first != nullptr ? first : &norm;
      if (!alike(norm, *first)) {
        return nullptr;
      }
    }
  }
  return first;
}

bool MixedChoice::gains(const Verdict& verdict) const {
  const auto n_known = std::count_if(verdict.chosen.begin(), verdict.chosen.end(),
                                     [this](int64_t index) { return candidate(index).is_known(); });
  return verdict.weights.defined() && n_known > 1;
}

std::shared_ptr<const MixedChoice> mixed_choice(const Program& program,
                                                const InstructionPtr& instruction) {
  const auto choice = std::dynamic_pointer_cast<const LayerChoiceInstruction>(instruction);
  if (!choice || choice->inputs().size() != 1) {
    return nullptr;
  }
  const ValueInfo& made = program.values[choice->outputs().front()];
  if (made.shape.size() != 3 || made.channels) {
    return nullptr;
  }
  MixedChoice found{choice, {}};
  int64_t n_known = 0;
  for (const Branch& branch : choice->branches()) {
    RecognisedBranch candidate = recognise_branch(branch.program);
    if (candidate.is_known() && n_known == 0) {
      found.stride = candidate.stride;
    }
    if (candidate.is_known() && candidate.stride != found.stride) {
      candidate.reason = "another stride than the first";
    }
    n_known += candidate.is_known() ? 1 : 0;
    if (!candidate.is_known() &&
        choice->choice()->always_zero(static_cast<int64_t>(found.candidates.size()))) {
      candidate.reason = "zero: left out";
    }
    found.candidates.push_back(std::move(candidate));
  }
  return n_known > 1 ? std::make_shared<const MixedChoice>(std::move(found)) : nullptr;
}

}  // namespace retia::executor
