#include "retia/engine/distributed/batch_statistics.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/full.h>
#include <ATen/ops/var_mean.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

namespace retia {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Returns all dimensions except that of channels.
std::vector<int64_t> others(const at::Tensor& x) {
  std::vector<int64_t> dims = {0};
  for (int64_t d = 2; d < x.dim(); ++d) {
    dims.push_back(d);
  }
  return dims;
}

/// `[C]` so that it meets the channels of x.
at::Tensor along(const at::Tensor& channels, const at::Tensor& x) {
  std::vector<int64_t> sizes(static_cast<size_t>(x.dim()), 1);
  sizes[1] = x.size(1);
  return channels.view(sizes);
}

/// The arguments that are not differentiated.
struct FixedArguments {
  at::Tensor running_mean, running_var;
  double momentum, epsilon;
  Ranks* ranks;
};

using MaybeTensor = std::optional<at::Tensor>;

MaybeTensor maybe(const at::Tensor& tensor) {
  return tensor.defined() ? MaybeTensor(tensor) : std::nullopt;
}

class SynchronisedBatchNorm : public torch::autograd::Function<SynchronisedBatchNorm> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x,
                            const MaybeTensor& weight, const MaybeTensor& bias,
                            const FixedArguments& setting) {
    Ranks* const ranks = setting.ranks;
    const int64_t channels = x.size(1);
    const auto n_here = static_cast<double>(x.numel() / channels);
    const auto [variance, mean] = at::var_mean(x, others(x), /*correction=*/0);
    const at::Tensor m = mean.to(at::kDouble), v = variance.to(at::kDouble);
    const at::Tensor sums =
        at::cat({m * n_here, (v + m * m) * n_here, at::full({1}, n_here, m.options())});
    ranks->sum_statistics(sums);
    const at::Tensor n = sums[2 * channels];
    const at::Tensor all_mean = sums.slice(0, 0, channels) / n;
    const at::Tensor all_variance =
        (sums.slice(0, channels, 2 * channels) / n - all_mean * all_mean).clamp_min(0);
    if (setting.running_mean.defined()) {
      const at::ScalarType dtype = setting.running_mean.scalar_type();
      setting.running_mean.lerp_(all_mean.to(dtype), setting.momentum);
      setting.running_var.lerp_((all_variance * (n / (n - 1))).to(dtype), setting.momentum);
    }
    const at::Tensor scale = (all_variance + setting.epsilon).rsqrt().to(x.scalar_type());
    const at::Tensor normalised = (x - along(all_mean.to(x.scalar_type()), x)) * along(scale, x);
    context->save_for_backward({normalised, scale, weight.value_or(at::Tensor()), n});
    context->saved_data["ranks"] = reinterpret_cast<int64_t>(ranks);
    const at::Tensor scaled = weight ? normalised * along(*weight, x) : normalised;
    return bias ? scaled + along(*bias, x) : scaled;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "synchronised batch norm cannot be differentiated twice");
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &normalised = saved[0], &scale = saved[1], &weight = saved[2];
    auto* ranks = reinterpret_cast<Ranks*>(context->saved_data["ranks"].toInt());
    const at::Tensor& dy = gradients[0];
    const int64_t channels = dy.size(1);
    const at::Tensor here =
        at::cat({dy.sum(others(dy)), (dy * normalised).sum(others(dy))}).to(at::kDouble);
    const at::Tensor sums = here.clone();
    ranks->sum_statistics(sums);
    const at::Tensor means = (sums / saved[3]).to(dy.scalar_type());
    const at::Tensor centred = dy - along(means.slice(0, 0, channels), dy) -
                               normalised * along(means.slice(0, channels), dy);
    if (!weight.defined()) {
      return {centred * along(scale, dy), {}, {}, {}};
    }
    const at::Tensor own = here.to(dy.scalar_type());
    return {
        centred * along(scale * weight, dy), own.slice(0, channels), own.slice(0, 0, channels), {}};
  }
};

}  // namespace

at::Tensor synchronised_batch_norm(const at::Tensor& x, const at::Tensor& weight,
                                   const at::Tensor& bias, const at::Tensor& running_mean,
                                   const at::Tensor& running_var, double momentum, double epsilon,
                                   Ranks& ranks) {
  const FixedArguments setting = {running_mean, running_var, momentum, epsilon, &ranks};
  return SynchronisedBatchNorm::apply(x, maybe(weight), maybe(bias), setting);
}

}  // namespace retia
