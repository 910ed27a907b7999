#include <algorithm>

#include "retia/kernels/argument.h"
#include "retia/kernels/mixed_op/mixed_op.h"

namespace retia::kernels {
namespace {

constexpr int64_t kLastBranch = kNMixedBranches - 1;

using c10::SymInt;

bool has_symbols(const at::Tensor& tensor) {
  return tensor.unsafeGetTensorImpl()->has_symbolic_sizes_strides();
}

/// Returns whether a weight has the sizes of weight i of `stage`.
bool has_sizes_of(const BranchStage& stage, int64_t i, const at::Tensor& weight,
                  const at::Tensor& x) {
  // There are thousands of weights a step, and comparing numbers is far cheaper than symbols.
  if (has_symbols(weight) || has_symbols(x)) {
    return weight.sym_sizes() == at::SymIntArrayRef(stage.weight_sizes(i, x.sym_size(1)));
  }
  return weight.sizes() == at::IntArrayRef(stage.weight_sizes(i, x.size(1)));
}

void check_branch_weights(MixedBranch branch, at::TensorList weights, size_t first,
                          const at::Tensor& x) {
  for (const BranchStage& stage : row_of(branch)) {
    for (int64_t i = 0; i < stage.n_weights(); ++i, ++first) {
      const at::Tensor& weight = weights[first];
      TORCH_CHECK(goes_with(weight, x) && has_sizes_of(stage, i, weight, x), "mixed_op: weight ",
                  first, " must be ", dtype_beside(x), " ",
                  at::SymIntArrayRef(stage.weight_sizes(i, x.sym_size(1))), " on ", x.device(),
                  ", but is ", described(weight));
    }
  }
}

void check_edges(const MixedOpOptions& options) {
  const auto n_branches = static_cast<int64_t>(options.branches.size());
  int64_t n_left = n_branches;
  for (const int64_t n : options.edges) {
    TORCH_CHECK(n > 0 && n <= n_left, "mixed_op: expected edges of at least one branch, of ",
                n_branches, " in all, got edges of ", at::IntArrayRef(options.edges));
    n_left -= n;
  }
  TORCH_CHECK(options.edges.empty() || n_left == 0,
              "mixed_op: expected edges of at least one branch, of ", n_branches,
              " in all, got edges of ", at::IntArrayRef(options.edges));
}

std::vector<SymInt> sizes_of_result(const at::Tensor& x, int64_t stride) {
  return {x.sym_size(0), x.sym_size(1), n_strided(x.sym_size(2), stride),
          n_strided(x.sym_size(3), stride)};
}

void check_sums(const at::Tensor& x, at::TensorList sums, const MixedOpOptions& options) {
  const int64_t n_edges = std::max<int64_t>(static_cast<int64_t>(options.edges.size()), 1);
  std::vector<bool> is_summed(static_cast<size_t>(n_edges));
  for (const int64_t edge : options.summed) {
    TORCH_CHECK(edge >= 0 && edge < n_edges && !is_summed[static_cast<size_t>(edge)],
                "mixed_op: expected some of ", n_edges, " edges to be summed, each once, got ",
                at::IntArrayRef(options.summed));
    is_summed[static_cast<size_t>(edge)] = true;
  }
  TORCH_CHECK(sums.size() == options.summed.size(), "mixed_op: expected what ",
              options.summed.size(), " edges are added to, got ", sums.size(), " tensors");
  const std::vector<SymInt> made = sizes_of_result(x, options.stride);
  for (const at::Tensor& sum : sums) {
    TORCH_CHECK(is_array(sum) && sum.sym_sizes() == at::SymIntArrayRef(made) &&
                    sum.scalar_type() == x.scalar_type() && sum.device() == x.device(),
                "mixed_op: what an edge is added to must be ", x.scalar_type(), " ",
                at::SymIntArrayRef(made), " on ", x.device(), ", but is ", described(sum));
  }
}

/// Checks the arguments that the forward and the backward pass have in common. Returns the number
/// of normalisations.
int64_t check_branches(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                       const MixedOpOptions& options) {
  TORCH_CHECK(
      is_batch_of_images(x),
      "mixed_op: x must be float32 or float64 (on a GPU also float16 or bfloat16) [n, C, H, "
      "W] and not empty, but is ",
      described(x));
  TORCH_CHECK(options.stride == 1 || options.stride == 2,
              "mixed_op: the stride must be 1 or 2, but is ", options.stride);
  const auto n_branches = static_cast<int64_t>(options.branches.size());
  TORCH_CHECK(
      n_branches > 0 && goes_with(blend, x) && blend.dim() == 1 && blend.sym_size(0) == n_branches,
      "mixed_op: blend must be ", dtype_beside(x), " [", n_branches, "] on ", x.device(),
      ", one a branch and at least one, but is ", described(blend));
  check_edges(options);
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
  return norms;
}

}  // namespace

void check_mixed_ops(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                     at::TensorList running, at::TensorList sums, const MixedOpOptions& options,
                     std::string_view group) {
  const int64_t norms = check_branches(x, blend, weights, options);
  TORCH_CHECK(
      static_cast<int64_t>(running.size()) == 2 * norms || (running.empty() && options.training),
      "mixed_op: expected mean and variance of ", norms, " normalisations, got ", running.size(),
      " tensors");
  for (const at::Tensor& statistic : running) {
    TORCH_CHECK(goes_with(statistic, x) && statistic.dim() == 1 &&
                    statistic.sym_size(0) == x.sym_size(1) && statistic.is_contiguous(),
                "mixed_op: running statistics must be contiguous ", dtype_beside(x), " [",
                x.sym_size(1), "] on ", x.device(), ", but one is ", described(statistic));
  }
  TORCH_CHECK(!options.training || !group.empty() || norms == 0 ||
                  x.sym_size(0) * n_strided(x.sym_size(2), options.stride) *
                          n_strided(x.sym_size(3), options.stride) >
                      1,
              "mixed_op needs more than one value per channel while training, got ", x.sym_sizes(),
              ": choose a batch size that leaves no single sample over");
  check_sums(x, sums, options);
}

namespace mixed_op_operators {

void check_backward(at::TensorList gradients, const at::Tensor& x, const at::Tensor& blend,
                    at::TensorList weights, const at::Tensor& kept, const at::Tensor& moments,
                    const MixedOpOptions& options) {
  check_branches(x, blend, weights, options);
  const size_t n_edges = std::max<size_t>(options.edges.size(), 1);
  TORCH_CHECK(gradients.size() == n_edges, "mixed_ops_backward: expected gradients of ", n_edges,
              " edges, got ", gradients.size());
  const Returned sizes = returned(x, options);
  const auto check = [&](const char* what, const at::Tensor& tensor, at::SymIntArrayRef expected,
                         at::ScalarType dtype) {
    TORCH_CHECK(is_array(tensor) && tensor.sym_sizes() == expected &&
                    tensor.scalar_type() == dtype && tensor.device() == x.device(),
                "mixed_ops_backward: ", what, " must be ", dtype, " ", expected, " on ", x.device(),
                ", but is ", described(tensor));
  };
  for (const at::Tensor& gradient : gradients) {
    check("a gradient", gradient, sizes.out, x.scalar_type());
  }
  check("what is normalised", kept, sizes.kept, x.scalar_type());
  check("what is normalised by", moments, sizes.moments, dtype_beside(x));
  TORCH_CHECK(kept.is_contiguous() && moments.is_contiguous(),
              "mixed_ops_backward: kept and moments must be laid out as forward returned them");
}

Returned returned(const at::Tensor& x, const MixedOpOptions& options) {
  int64_t n_norms_of_all = 0, n_kept = 0, n_max_pools = 0, n_average_pools = 0;
  for (const int64_t index : options.branches) {
    const auto branch = static_cast<MixedBranch>(index);
    const bool is_max = branch == MixedBranch::MaxPool3;
    const bool is_average = branch == MixedBranch::AveragePool3;
    n_norms_of_all += n_norms(branch);
    n_kept += is_max || is_average ? 0 : n_norms(branch);
    n_max_pools += is_max ? 1 : 0;
    n_average_pools += is_average ? 1 : 0;
  }
  Returned sizes = {sizes_of_result(x, options.stride), {}, {}, {0}, at::kDouble};
  const SymInt &n = sizes.out[0], &c = sizes.out[1];
  const SymInt pixels = sizes.out[2] * sizes.out[3];
  if (is_for_gpu(x)) {
    sizes.kept = {n_kept, n * pixels, c};
    sizes.moments = {n_norms_of_all, 2, c};
    sizes.dtype_of_batch = dtype_beside(x);
  } else {
    // While training, all pools of a kind are one.
    const int64_t n_pools =
        options.training ? std::min<int64_t>(n_max_pools, 1) + std::min<int64_t>(n_average_pools, 1)
                         : n_max_pools + n_average_pools;
    sizes.kept = {n_kept, n, whole(pixels) * whole(c)};
    sizes.moments = {n_kept + n_pools, 2, whole(c)};
  }
  if (options.training) {
    sizes.batch = {n_norms_of_all, 3, c};
  }
  return sizes;
}

std::vector<at::Tensor> needed(MixedOpsGradients gradients) {
  auto& [x, blend, weights] = gradients;
  std::vector<at::Tensor> found = {blend};
  if (x.defined()) {
    found.push_back(x);
  }
  for (const at::Tensor& weight : weights) {
    if (weight.defined()) {
      found.push_back(weight);
    }
  }
  return found;
}

}  // namespace mixed_op_operators
}  // namespace retia::kernels
