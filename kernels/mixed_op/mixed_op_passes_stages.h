#pragma once

#include <vector>

#include "retia/kernels/mixed_op/mixed_op_branches.h"

namespace retia::kernels {

/// A stage of a branch, with its places in what the passes of mixed_ops read and write.
struct PassStage {
  StageKind kind;    ///< computation before batch normalisation
  int kernel;        ///< height and width of the convolution or pool
  int dilation;      ///< distance between the pixels that the kernel reads
  int branch;        ///< branch whose last stage this is, or -1
  int running;       ///< place of the normalisation among the running statistics
  int first_weight;  ///< place of the first weight in the list of weights
  int source = -1;   ///< place in `first` of the stage whose normalised result is read; -1: x
  int place = 0;     ///< place in what is kept and in its gradients, where pools come last
  int norm = 0;      ///< place in what is normalised by, where pools come before `second`
};

/// The stages of all branches, by the pass that runs them.
struct PassStages {
  /// Finds the stages. branches: MixedBranch values, edge after edge.
  explicit PassStages(const std::vector<int64_t>& branches);

  std::vector<PassStage> first;     ///< convolutions that read x
  std::vector<PassStage> second;    ///< convolutions that read a result of `first`
  std::vector<PassStage> halvings;  ///< factorised reductions of x
  std::vector<PassStage> pools;     ///< pools of x
  std::vector<int> identities;      ///< branches that are x itself

  /// Returns the number of results before normalisation that forward saves for backward.
  int n_kept() const { return static_cast<int>(first.size() + halvings.size() + second.size()); }
  /// Returns the number of normalisations.
  int n_norms() const { return n_kept() + static_cast<int>(pools.size()); }
  /// Returns all stages, in the order of PassStage::norm.
  std::vector<const PassStage*> all() const;

 private:
  /// Adds stage i of branch number `branch`, whose weights and normalisations begin at `weight` and
  /// `norm`.
  void add(const BranchRow& row, int64_t i, int branch, int weight, int norm);
};

/// Returns the stages of several lists, list after list.
std::vector<const PassStage*> stages_of(const std::vector<const std::vector<PassStage>*>& lists);

}  // namespace retia::kernels
