#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/base_mutator.h"
#include "engine/executor/norm.h"
#include "engine/mutables/layer_choice.h"

namespace retia {

struct Branch;
struct Step;

/// A layer choice whose candidates the fused operation `retia::mixed_op` computes: those of DARTS,
/// with batch normalisation without scale and shift. Others run as they are and join the blend.
class MixedOpFusion {
 public:
  /// The fusion of a step that is a layer choice on one input; null where it would fuse nothing.
  static std::shared_ptr<MixedOpFusion> of(const Step& step);

  /// Why a candidate runs as it is; empty where it is fused.
  const std::string& reason(size_t candidate) const { return candidates_[candidate].reason; }
  int64_t stride() const { return stride_; }

  /// Whether the choice, blended as `verdict` says, gains from fusion on `x`: two candidates or
  /// more that the operation knows, on the CPU, all normalising in the same way.
  bool takes(const Verdict& verdict, const at::Tensor& x) const;

  /// What the mutator would make of the candidates, by one operation. x: best in channels_last.
  at::Tensor run(const LayerChoiceImpl& choice, const Verdict& verdict, const at::Tensor& x) const;

 private:
  struct Candidate {
    bool known = false;
    std::string reason = "mixed_op has no such branch";
    int64_t branch = 0;  ///< a kernels::MixedBranch
    int64_t stride = 1;
    std::vector<at::Tensor> weights;
    std::vector<Norm> norms;
  };

  static Candidate recognise(const Branch& branch, const std::string& primitive);

  std::vector<Candidate> candidates_;
  int64_t stride_ = 1;
};

}  // namespace retia
