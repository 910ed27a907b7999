#include <algorithm>

#include "retia/kernels/mixed_op/mixed_op.h"

namespace retia::kernels {
namespace {

constexpr int64_t kLastBranch = kNMixedBranches - 1;

bool is_half(const at::Tensor& x) {
  return x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16;
}

/// Of all but x.
at::ScalarType dtype_beside(const at::Tensor& x) {
  return is_half(x) ? at::kFloat : x.scalar_type();
}

int64_t strided(int64_t size, int64_t stride) { return (size + stride - 1) / stride; }

void check_weight(const at::Tensor& weight, size_t place, at::IntArrayRef sizes,
                  const at::Tensor& x) {
  TORCH_CHECK(weight.sizes() == sizes && weight.scalar_type() == dtype_beside(x) &&
                  weight.device() == x.device(),
              "mixed_op: weight ", place, " must be ", dtype_beside(x), " ", sizes, " on ",
              x.device(), ", but is ", weight.scalar_type(), " ", weight.sizes(), " on ",
              weight.device());
}

void check_branch_weights(MixedBranch branch, at::TensorList weights, size_t first,
                          const at::Tensor& x) {
  for (const BranchStage& stage : row_of(branch)) {
    for (int64_t i = 0; i < stage.n_weights(); ++i, ++first) {
      check_weight(weights[first], first, stage.weight_sizes(i, x.size(1)), x);
    }
  }
}

void check_edges(const at::Tensor& x, at::TensorList sums, const MixedOpOptions& options) {
  const auto n_branches = static_cast<int64_t>(options.branches.size());
  const int64_t n_edges = std::max<int64_t>(static_cast<int64_t>(options.edges.size()), 1);
  int64_t n_of_edges = options.edges.empty() ? n_branches : 0;
  bool each_has_one = true;
  for (const int64_t n : options.edges) {
    n_of_edges += n;
    each_has_one = each_has_one && n > 0;
  }
  TORCH_CHECK(each_has_one && n_of_edges == n_branches,
              "mixed_op: expected edges of at least one branch, of ", n_branches,
              " in all, got edges of ", at::IntArrayRef(options.edges));
  std::vector<bool> is_summed(static_cast<size_t>(n_edges));
  for (const int64_t edge : options.summed) {
    TORCH_CHECK(edge >= 0 && edge < n_edges && !is_summed[static_cast<size_t>(edge)],
                "mixed_op: expected some of ", n_edges, " edges to be summed, each once, got ",
                at::IntArrayRef(options.summed));
    is_summed[static_cast<size_t>(edge)] = true;
  }
  TORCH_CHECK(sums.size() == options.summed.size(), "mixed_op: expected what ",
              options.summed.size(), " edges are added to, got ", sums.size(), " tensors");
  const std::vector<int64_t> made = {x.size(0), x.size(1), strided(x.size(2), options.stride),
                                     strided(x.size(3), options.stride)};
  for (const at::Tensor& sum : sums) {
    TORCH_CHECK(
        sum.sizes() == made && sum.scalar_type() == x.scalar_type() && sum.device() == x.device(),
        "mixed_op: what an edge is added to must be ", x.scalar_type(), " ", at::IntArrayRef(made),
        " on ", x.device(), ", but is ", sum.scalar_type(), " ", sum.sizes(), " on ", sum.device());
  }
}

}  // namespace

void check_mixed_ops(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                     at::TensorList running, at::TensorList sums, const MixedOpOptions& options) {
  TORCH_CHECK(
      x.dim() == 4 && x.numel() > 0 && (x.is_cpu() || x.is_cuda()) &&
          (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble ||
           (is_half(x) && x.is_cuda())),
      "mixed_op: x must be float32 or float64 (on a GPU also float16 or bfloat16) [n, C, H, W] and "
      "not empty, but is ",
      x.scalar_type(), " ", x.sizes(), " on ", x.device());
  TORCH_CHECK(options.stride == 1 || options.stride == 2,
              "mixed_op: the stride must be 1 or 2, but is ", options.stride);
  const auto n_branches = static_cast<int64_t>(options.branches.size());
  TORCH_CHECK(n_branches > 0 && blend.dim() == 1 && blend.size(0) == n_branches &&
                  blend.scalar_type() == dtype_beside(x) && blend.device() == x.device(),
              "mixed_op: blend must be ", dtype_beside(x), " [", n_branches,
              "], one a branch and at least one, but is ", blend.scalar_type(), " ", blend.sizes());
  size_t weight = 0;
  int64_t norms = 0;
  for (const int64_t index : options.branches) {
    TORCH_CHECK(index >= 0 && index <= kLastBranch, "mixed_op: branches are numbered 0 to ",
                kLastBranch, ", got ", index);
    const auto branch = static_cast<MixedBranch>(index);
    const int64_t only = row_of(branch).stride;
    TORCH_CHECK(
        only == kAnyStride || only == options.stride, "mixed_op: branch ", index, " has stride ",
        only, ", but the operation has stride ", options.stride,
        ": what skips is branch 0 at stride 1 and branch 1, the factorised reduction, at 2");
    TORCH_CHECK(weight + static_cast<size_t>(n_weights(branch)) <= weights.size(),
                "mixed_op: expected more than ", weights.size(), " weights");
    check_branch_weights(branch, weights, weight, x);
    weight += static_cast<size_t>(n_weights(branch));
    norms += n_norms(branch);
  }
  TORCH_CHECK(weight == weights.size(), "mixed_op: expected ", weight, " weights, got ",
              weights.size());
  TORCH_CHECK(
      static_cast<int64_t>(running.size()) == 2 * norms || (running.empty() && options.training),
      "mixed_op: expected mean and variance of ", norms, " normalisations, got ", running.size(),
      " tensors");
  for (const at::Tensor& statistic : running) {
    TORCH_CHECK(statistic.dim() == 1 && statistic.size(0) == x.size(1) &&
                    statistic.is_contiguous() && statistic.scalar_type() == dtype_beside(x),
                "mixed_op: running statistics must be contiguous ", dtype_beside(x), " [",
                x.size(1), "], but are ", statistic.scalar_type(), " ", statistic.sizes());
  }
  TORCH_CHECK(
      !options.training || options.ranks != nullptr || norms == 0 ||
          x.size(0) * strided(x.size(2), options.stride) * strided(x.size(3), options.stride) > 1,
      "mixed_op needs more than one value per channel while training, got ", x.sizes(),
      ": choose a batch size that leaves no single sample over");
  check_edges(x, sums, options);
}

}  // namespace retia::kernels
