#pragma once

#include <memory>
#include <vector>

#include "retia/engine/executor/passes/recognised_branch.h"
#include "retia/engine/executor/recognition.h"
#include "retia/engine/mutables/base_mutator.h"

namespace retia::executor {

/// Returns whether one call of a fused operation can normalise by both: all numbers and modes are
/// the same.
bool alike(const Norm& a, const Norm& b);

/// A layer choice with its candidates as branches of `mixed_op`.
struct MixedChoice {
  std::shared_ptr<const LayerChoiceInstruction> instruction;  ///< runs the choice layer by layer
  std::vector<RecognisedBranch> candidates;                   ///< in the order of the choice
  int64_t stride = 1;                                         ///< stride of the known candidates

  /// Returns the module of the choice.
  const LayerChoiceImpl& choice() const { return *instruction->choice(); }
  /// Returns the value that the choice reads.
  Value x() const { return instruction->inputs().front(); }
  /// Returns the candidate of an index.
  const RecognisedBranch& candidate(int64_t index) const {
    return candidates[static_cast<size_t>(index)];
  }

  /// Returns the normalisation that all chosen candidates share; null where they differ or none
  /// normalises.
  const Norm* common_norm(const Verdict& verdict) const;

  /// Returns whether the choice, blended as `verdict` says, gains from fusion.
  bool gains(const Verdict& verdict) const;
};

/// Returns a layer choice with its branches; null where `mixed_op` would run fewer than two, or
/// `instruction` runs no layer choice of one image.
std::shared_ptr<const MixedChoice> mixed_choice(const Program& program,
                                                const InstructionPtr& instruction);

}  // namespace retia::executor
