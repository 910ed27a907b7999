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
  /// Sets `fusion`, `edges` and `sum` of each step that is a layer choice on one input, where it
  /// would fuse anything. outputs: the steps that others than steps read.
  static void fuse(std::vector<Step>& steps, const std::vector<size_t>& outputs);

  /// Why a candidate runs as it is; empty where it is fused.
  const std::string& reason(size_t candidate) const { return candidates_[candidate].reason; }
  int64_t stride() const { return stride_; }

  /// Whether the choice, blended as `verdict` says, gains from fusion on `x`: two candidates or
  /// more that the operation knows, all normalising in the same way.
  bool takes(const Verdict& verdict, const at::Tensor& x) const;

  /// A choice as it is blended in a pass, and the sum so far that its result is added to.
  struct Edge {
    const MixedOpFusion& fusion;
    const LayerChoiceImpl& choice;
    Verdict verdict;
    at::Tensor onto;  ///< undefined: none
  };

  /// Whether one operation can run both, of one stride, each of which is taken.
  static bool run_together(const Edge& a, const Edge& b);

  /// What the mutator would make of the candidates of each edge, by one operation. x: best in
  /// channels_last.
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

  /// The fusion of a step; null where it would fuse nothing.
  static std::shared_ptr<MixedOpFusion> of(const Step& step);
  static Candidate recognise(const Branch& branch, const std::string& primitive);

  /// How the chosen candidates normalise; null where they differ, or none does.
  const Norm* common_norm(const Verdict& verdict) const;

  std::vector<Candidate> candidates_;
  int64_t stride_ = 1;
};

}  // namespace retia
