#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

// The branches of mixed_op as a table, from which checks, plans for CPU and GPU, the reference,
// test cases and the recognition in graphs are derived: each goes through the stages of a row and
// treats every kind of stage once. C++17 without LibTorch, so that .cu files include it too.
namespace retia::kernels {

/// A branch of mixed_op; kMixedBranches says what each computes. The numbers are part of the torch
/// operator's interface.
enum class MixedBranch : int64_t {
  Identity,
  FactorizedReduce,
  MaxPool3,
  AveragePool3,
  SepConv3,
  SepConv5,
  DilConv3,
  DilConv5,
};

/// The computation of a stage on x, which has C channels, before batch normalisation. Convolutions
/// and pools are padded so that they keep the size at stride 1.
enum class StageKind {
  Convolution,  ///< pointwise(depthwise(relu(x))); weights [C, 1, k, k] and [C, C, 1, 1]
  Halving,  /**< factorised reduction, stride 2: concat(even · relu(x), odd · relu(x) one pixel
                     further down and right); weights [C/2, C, 1, 1] and [C - C/2, C, 1, 1] */
  MaxPool,  ///< the largest of 3 x 3
  AveragePool,  ///< the mean of 3 x 3, without the padding
};

/// A step of a branch: `kind` followed by batch normalisation without scale and shift.
struct BranchStage {
  StageKind kind;    ///< computation before batch normalisation
  int64_t kernel;    ///< height and width of the convolution or pool
  int64_t dilation;  ///< distance between the pixels that the kernel reads

  /// Returns whether the stage is a pool, which has no weights.
  constexpr bool is_pool() const {
    return kind == StageKind::MaxPool || kind == StageKind::AveragePool;
  }
  /// Returns the number of weight tensors.
  constexpr int64_t n_weights() const { return is_pool() ? 0 : 2; }
  /// Returns the sizes of weight i, 0 or 1, for x of c channels.
  template <class Size>
  constexpr std::array<Size, 4> weight_sizes(int64_t i, const Size& c) const {
    const Size one(1), side(kernel);
    if (kind == StageKind::Halving) {
      return {i == 0 ? Size(c / 2) : Size(c - c / 2), c, one, one};
    }
    return i == 0 ? std::array<Size, 4>{c, one, side, side} : std::array<Size, 4>{c, c, one, one};
  }
};

/// The mark of branches that have stride 1 and stride 2.
constexpr int64_t kAnyStride = 0;

/// A row of the table: the stages of a branch in order, at most two, the first with the stride of
/// the operation, the second with stride 1. A branch without stages is x itself.
struct BranchRow {
  MixedBranch branch;     ///< branch that the row describes
  int64_t stride;         ///< only stride that the branch has, or kAnyStride
  int64_t n_stages;       ///< number of stages, 0 to 2
  BranchStage stages[2];  ///< the first n_stages of these

  /// Begins an iteration over the stages.
  constexpr const BranchStage* begin() const { return stages; }
  /// Ends the iteration that begin() began.
  constexpr const BranchStage* end() const { return stages + n_stages; }
};

/// The table, in the order of the enumerators.
constexpr BranchRow kMixedBranches[] = {
    {MixedBranch::Identity, 1, 0, {}},
    {MixedBranch::FactorizedReduce, 2, 1, {{StageKind::Halving, 1, 1}}},
    {MixedBranch::MaxPool3, kAnyStride, 1, {{StageKind::MaxPool, 3, 1}}},
    {MixedBranch::AveragePool3, kAnyStride, 1, {{StageKind::AveragePool, 3, 1}}},
    {MixedBranch::SepConv3,
     kAnyStride,
     2,
     {{StageKind::Convolution, 3, 1}, {StageKind::Convolution, 3, 1}}},
    {MixedBranch::SepConv5,
     kAnyStride,
     2,
     {{StageKind::Convolution, 5, 1}, {StageKind::Convolution, 5, 1}}},
    {MixedBranch::DilConv3, kAnyStride, 1, {{StageKind::Convolution, 3, 2}}},
    {MixedBranch::DilConv5, kAnyStride, 1, {{StageKind::Convolution, 5, 2}}},
};
/// The number of branches.
constexpr int64_t kNMixedBranches = sizeof kMixedBranches / sizeof *kMixedBranches;

/// Returns the row of `branch`.
constexpr const BranchRow& row_of(MixedBranch branch) {
  return kMixedBranches[static_cast<size_t>(branch)];
}

/// Returns the number of weight tensors of a branch.
constexpr int64_t n_weights(MixedBranch branch) {
  int64_t n = 0;
  for (const BranchStage& stage : row_of(branch)) {
    n += stage.n_weights();
  }
  return n;
}

/// Returns the number of batch normalisations of a branch.
constexpr int64_t n_norms(MixedBranch branch) { return row_of(branch).n_stages; }

/// Returns the height and width of the largest kernel.
constexpr int64_t largest_kernel() {
  int64_t largest = 1;
  for (const BranchRow& row : kMixedBranches) {
    for (const BranchStage& stage : row) {
      largest = stage.kernel > largest ? stage.kernel : largest;
    }
  }
  return largest;
}

/// Returns whether each row stands at the place of its enumerator and holds what the loops compute:
/// pools of 3 x 3, kernels of 3, 5 or 7, and two stages of convolutions only.
constexpr bool is_valid_table() {
  for (int64_t i = 0; i < kNMixedBranches; ++i) {
    const BranchRow& row = kMixedBranches[i];
    if (static_cast<int64_t>(row.branch) != i || row.n_stages > 2) {
      return false;
    }
    for (const BranchStage& stage : row) {
      const bool is_convolution = stage.kind == StageKind::Convolution;
      const int64_t k = stage.kernel;
      if ((stage.is_pool() && (k != 3 || stage.dilation != 1)) ||
          (is_convolution && k != 3 && k != 5 && k != 7) ||
          (row.n_stages == 2 && !is_convolution)) {
        return false;
      }
    }
  }
  return true;
}
static_assert(is_valid_table(), "a row of kMixedBranches is out of place or has no loops");

}  // namespace retia::kernels
