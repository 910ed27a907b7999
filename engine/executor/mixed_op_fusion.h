#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "retia/engine/base_mutator.h"
#include "retia/engine/executor/norm.h"
#include "retia/engine/mutables/layer_choice.h"

namespace retia {

struct Branch;
struct Step;

/// A layer choice whose candidates the fused operation `retia::mixed_op` computes: the candidates
/// of DARTS, where batch normalisation has no scale and shift. Other candidates run layer by layer
/// and are added to the blend.
class MixedOpFusion {
 public:
  /// Sets `fusion`, `edges` and `sum` of each step that is a layer choice on one input and has
  /// candidates to fuse. `outputs`: the steps whose values the routine returns.
  static void fuse(std::vector<Step>& steps, const std::vector<size_t>& outputs);

  /// Returns why a candidate is not fused; empty where it is.
  const std::string& reason(size_t candidate) const { return candidates_[candidate].reason; }
  int64_t stride() const { return stride_; }

  /// Returns whether the choice, blended as `verdict` says, gains from fusion on `x`: at least two
  /// candidates that the operation knows, which all normalise in the same way.
  bool takes(const Verdict& verdict, const at::Tensor& x) const;

  /// A layer choice with its decision in the current pass, and the partial sum to which its result
  /// is added.
  struct Edge {
    const MixedOpFusion& fusion;
    const LayerChoiceImpl& choice;
    Verdict verdict;
    at::Tensor onto;  ///< partial sum; undefined: none
  };

  /// Returns whether one call of the operation can run both edges: whether their normalisations
  /// agree. Both have the same stride and satisfy takes().
  static bool run_together(const Edge& a, const Edge& b);

  /// Returns the blend of each edge, computed by one call of the fused operation on the common
  /// input `x`, which is best in channels_last.
  static std::vector<at::Tensor> run(const std::vector<Edge>& edges, const at::Tensor& x);

 private:
  struct Candidate {
    bool known = false;
    std::string reason = "mixed_op has no such branch";
    int64_t branch = 0;  ///< a kernels::MixedBranch
    int64_t stride = 1;
    std::vector<at::Tensor> weights;
    std::vector<Norm> norms;
  };

  /// Returns the fusion of a step; null where it would fuse nothing.
  static std::shared_ptr<MixedOpFusion> of(const Step& step);
  static Candidate recognise(const Branch& branch, const std::string& primitive);

  /// Returns the normalisation that all chosen candidates share; null where they differ or none
  /// normalises.
  const Norm* common_norm(const Verdict& verdict) const;

  std::vector<Candidate> candidates_;
  int64_t stride_ = 1;
};

}  // namespace retia
