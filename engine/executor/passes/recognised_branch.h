#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "retia/engine/executor/recognition.h"
#include "retia/kernels/mixed_op/mixed_op.h"

namespace retia::executor {

/// A candidate of a layer choice as `mixed_op` sees it: one of its branches, or no branch and the
/// reason. A candidate whose batch normalisation has scale and shift is no branch.
struct RecognisedBranch {
  std::string reason;  ///< why the candidate is no branch; empty: it is one
  kernels::MixedBranch branch = kernels::MixedBranch::Identity;
  int64_t stride = 1;
  std::vector<at::Tensor> weights = {};
  std::vector<Norm> norms = {};

  bool is_known() const { return reason.empty(); }
};

/// Finds which branch the program of a candidate computes. `candidate`: as lowered.
RecognisedBranch recognise_branch(const Program& candidate);

}  // namespace retia::executor
