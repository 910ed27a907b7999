#include "kernels/mixed_op/mixed_op.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <string>

#include "kernels/autocast.h"

namespace retia::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kLastBranch = static_cast<int64_t>(MixedBranch::DilConv5);

void check_weight(const at::Tensor& weight, size_t place, at::IntArrayRef sizes,
                  const at::Tensor& x) {
  TORCH_CHECK(weight.sizes() == sizes && weight.scalar_type() == x.scalar_type() &&
                  weight.device() == x.device(),
              "mixed_op: weight ", place, " must be ", x.scalar_type(), " ", sizes, " on ",
              x.device(), ", but is ", weight.scalar_type(), " ", weight.sizes(), " on ",
              weight.device());
}

void check_branch_weights(MixedBranch branch, at::TensorList weights, size_t first,
                          const at::Tensor& x) {
  const int64_t c = x.size(1);
  if (branch == MixedBranch::FactorizedReduce) {
    check_weight(weights[first], first, {c / 2, c, 1, 1}, x);
    check_weight(weights[first + 1], first + 1, {c - c / 2, c, 1, 1}, x);
    return;
  }
  const bool small = branch == MixedBranch::SepConv3 || branch == MixedBranch::DilConv3;
  const int64_t kernel = small ? 3 : 5;
  for (int64_t i = 0; i < n_weights(branch); i += 2) {
    const size_t at = first + static_cast<size_t>(i);
    check_weight(weights[at], at, {c, 1, kernel, kernel}, x);
    check_weight(weights[at + 1], at + 1, {c, c, 1, 1}, x);
  }
}

class MixedOp : public torch::autograd::Function<MixedOp> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& blend,
                            at::TensorList weights, const std::vector<at::Tensor>& running,
                            const MixedOpOptions& options) {
    const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
    const auto [out, kept, moments] = cpu::mixed_op_forward(read, blend, weights, running, options);
    variable_list saved = {read, blend, kept, moments};
    saved.insert(saved.end(), weights.begin(), weights.end());
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["branches"] = options.branches;
    ctx->saved_data["stride"] = options.stride;
    ctx->saved_data["training"] = options.training;
    ctx->saved_data["ranks"] = reinterpret_cast<int64_t>(options.ranks);
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "mixed_op is differentiable once: run the reference executor for gradients of "
                "gradients, or call without create_graph");
    const variable_list saved = ctx->get_saved_variables();
    const at::TensorList weights = at::TensorList(saved).slice(4);
    const MixedOpOptions options = {
        .branches = ctx->saved_data["branches"].toIntVector(),
        .stride = ctx->saved_data["stride"].toInt(),
        .training = ctx->saved_data["training"].toBool(),
        .ranks = reinterpret_cast<SumOverRanks*>(ctx->saved_data["ranks"].toInt())};
    MixedOpNeeds needs{.x = ctx->needs_input_grad(0), .weights = false};
    for (size_t i = 0; i < weights.size(); ++i) {
      needs.weights = needs.weights || ctx->needs_input_grad(2 + i);
    }
    auto [to_x, to_blend, to_weights] = cpu::mixed_op_backward(
        gradients[0], saved[0], saved[1], weights, saved[2], saved[3], options, needs);
    variable_list result = {to_x, to_blend};
    result.insert(result.end(), to_weights.begin(), to_weights.end());
    result.resize(result.size() + 2);  // of the running statistics and the options
    return result;
  }
};

}  // namespace

int64_t n_weights(MixedBranch branch) {
  switch (branch) {
    case MixedBranch::Identity:
    case MixedBranch::MaxPool3:
    case MixedBranch::AveragePool3:
      return 0;
    case MixedBranch::SepConv3:
    case MixedBranch::SepConv5:
      return 4;
    default:
      return 2;
  }
}

int64_t n_norms(MixedBranch branch) {
  switch (branch) {
    case MixedBranch::Identity:
      return 0;
    case MixedBranch::SepConv3:
    case MixedBranch::SepConv5:
      return 2;
    default:
      return 1;
  }
}

void check_mixed_op(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                    at::TensorList running, const MixedOpOptions& options) {
  TORCH_CHECK(
      x.dim() == 4 && x.numel() > 0 && x.device().is_cpu() &&
          (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble),
      "mixed_op: x must be float32 or float64 [n, C, H, W] on the CPU and not empty, but is ",
      x.scalar_type(), " ", x.sizes(), " on ", x.device());
  TORCH_CHECK(options.stride == 1 || options.stride == 2,
              "mixed_op: the stride must be 1 or 2, but is ", options.stride);
  const auto n_branches = static_cast<int64_t>(options.branches.size());
  TORCH_CHECK(n_branches > 0 && blend.dim() == 1 && blend.size(0) == n_branches &&
                  blend.scalar_type() == x.scalar_type() && blend.device() == x.device(),
              "mixed_op: blend must be ", x.scalar_type(), " [", n_branches,
              "], one a branch and at least one, but is ", blend.scalar_type(), " ", blend.sizes());
  size_t weight = 0;
  int64_t norms = 0;
  for (const int64_t index : options.branches) {
    TORCH_CHECK(index >= 0 && index <= kLastBranch, "mixed_op: branches are numbered 0 to ",
                kLastBranch, ", got ", index);
    const auto branch = static_cast<MixedBranch>(index);
    TORCH_CHECK(branch != MixedBranch::Identity || options.stride == 1,
                "mixed_op: the identity has stride 1, take the factorised reduction");
    TORCH_CHECK(branch != MixedBranch::FactorizedReduce || options.stride == 2,
                "mixed_op: the factorised reduction has stride 2, take the identity");
    TORCH_CHECK(weight + static_cast<size_t>(n_weights(branch)) <= weights.size(),
                "mixed_op: expected more than ", weights.size(), " weights");
    if (n_weights(branch) > 0) {
      check_branch_weights(branch, weights, weight, x);
    }
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
                    statistic.is_contiguous() && statistic.scalar_type() == x.scalar_type(),
                "mixed_op: running statistics must be contiguous ", x.scalar_type(), " [",
                x.size(1), "], but are ", statistic.scalar_type(), " ", statistic.sizes());
  }
  const auto strided = [&](int64_t size) { return (size + options.stride - 1) / options.stride; };
  TORCH_CHECK(!options.training || options.ranks != nullptr || norms == 0 ||
                  x.size(0) * strided(x.size(2)) * strided(x.size(3)) > 1,
              "mixed_op needs more than one value per channel while training, got ", x.sizes(),
              ": choose a batch size that leaves no single sample over");
}

at::Tensor mixed_op(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                    at::TensorList running, const MixedOpOptions& options) {
  const at::Tensor read = autocast(x);
  const WithoutAutocast as_given;
  return MixedOp::apply(read, blend, weights, running.vec(), options);
}

TORCH_LIBRARY_FRAGMENT(retia, library) {
  library.def(
      "mixed_op(Tensor x, Tensor blend, Tensor[] weights, Tensor(a!)[] running, int[] branches, "
      "int stride=1, bool training=True, float momentum=0.1, float epsilon=1e-05) -> Tensor");
}

TORCH_LIBRARY_IMPL(retia, CompositeImplicitAutograd, library) {
  library.impl("mixed_op", [](const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                              at::TensorList running, at::IntArrayRef branches, int64_t stride,
                              bool training, double momentum, double epsilon) {
    return mixed_op(x, blend, weights, running,
                    {branches.vec(), stride, training, momentum, epsilon});
  });
}

}  // namespace retia::kernels
