#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/relu.h>

#include "retia/kernels/mixed_op/mixed_op.h"

namespace retia::kernels::reference {
namespace {

/// Computes branches one after another, each with the next weights and statistics of the lists.
class Branches {
 public:
  Branches(at::TensorList weights, at::TensorList running, const MixedOpOptions& options)
      : weights_(weights), running_(running), options_(options) {}

  at::Tensor run(MixedBranch branch, at::Tensor x) {
    int64_t stride = options_.stride;
    for (const BranchStage& stage : row_of(branch)) {
      x = norm(before_norm(stage, x, stride));
      stride = 1;
    }
    return x;
  }

 private:
  at::Tensor before_norm(const BranchStage& stage, const at::Tensor& x, int64_t stride) {
    switch (stage.kind) {
      case StageKind::Convolution:
        return convolution(x, stage.kernel, stride, stage.dilation);
      case StageKind::Halving:
        return factorized_reduce(x);
      case StageKind::MaxPool:
        return at::max_pool2d(x, stage.kernel, stride, stage.kernel / 2);
      case StageKind::AveragePool:
        return at::avg_pool2d(x, stage.kernel, stride, stage.kernel / 2, false, false);
    }
    TORCH_INTERNAL_ASSERT(false);
  }

  at::Tensor norm(const at::Tensor& x) {
    at::Tensor mean, variance;
    if (!running_.empty()) {
      mean = running_[norm_++];
      variance = running_[norm_++];
    }
    return at::batch_norm(x, {}, {}, mean, variance, options_.training, options_.momentum,
                          options_.epsilon, true);
  }

  at::Tensor convolution(const at::Tensor& x, int64_t kernel, int64_t stride, int64_t dilation) {
    const at::Tensor& depthwise = weights_[weight_++];
    const at::Tensor& pointwise = weights_[weight_++];
    const int64_t padding = kernel / 2 * dilation;
    return at::conv2d(at::conv2d(at::relu(x), depthwise, {}, stride, padding, dilation, x.size(1)),
                      pointwise);
  }

  at::Tensor factorized_reduce(const at::Tensor& x) {
    const at::Tensor relu = at::relu(x);
    const at::Tensor& even = weights_[weight_++];
    const at::Tensor& odd = weights_[weight_++];
    const at::Tensor shifted = at::constant_pad_nd(relu, {-1, x.size(3) % 2, -1, x.size(2) % 2}, 0);
    return at::cat({at::conv2d(relu, even, {}, 2), at::conv2d(shifted, odd, {}, 2)}, 1);
  }

  at::TensorList weights_, running_;
  const MixedOpOptions& options_;
  size_t weight_ = 0, norm_ = 0;
};

}  // namespace

at::Tensor mixed_op(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                    at::TensorList running, const MixedOpOptions& options) {
  Branches branches(weights, running, options);
  at::Tensor sum;
  for (size_t i = 0; i < options.branches.size(); ++i) {
    const at::Tensor term = branches.run(static_cast<MixedBranch>(options.branches[i]), x) *
                            blend[static_cast<int64_t>(i)];
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

std::vector<at::Tensor> mixed_ops(const at::Tensor& x, const at::Tensor& blend,
                                  at::TensorList weights, at::TensorList running,
                                  at::TensorList sums, const MixedOpOptions& options) {
  std::vector<at::Tensor> made;
  for (const MixedEdge& edge : edges_of(options)) {
    MixedOpOptions one = options;
    const auto first = options.branches.begin() + edge.branch;
    one.branches.assign(first, first + edge.n_branches);
    const auto part = [](at::TensorList list, int64_t begin, int64_t n) {
      return list.empty() ? list : list.slice(static_cast<size_t>(begin), static_cast<size_t>(n));
    };
    made.push_back(reference::mixed_op(x, blend.narrow(0, edge.branch, edge.n_branches),
                                       part(weights, edge.weight, edge.n_weights),
                                       part(running, 2 * edge.norm, 2 * edge.n_norms), one));
  }
  for (size_t i = 0; i < sums.size(); ++i) {
    at::Tensor& of_edge = made[static_cast<size_t>(options.summed[i])];
    of_edge = sums[i] + of_edge;
  }
  return made;
}

}  // namespace retia::kernels::reference
