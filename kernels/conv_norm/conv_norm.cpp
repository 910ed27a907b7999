#include "retia/kernels/conv_norm/conv_norm.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <string>

#include "retia/kernels/autocast.h"

namespace retia::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kLastKind = static_cast<int64_t>(ConvKind::AveragePool3);

bool is_half(const at::Tensor& x) {
  return x.scalar_type() == at::kHalf || x.scalar_type() == at::kBFloat16;
}

void check_same_kind(const char* what, const at::Tensor& tensor, const at::Tensor& x) {
  const at::ScalarType expected = is_half(x) ? at::kFloat : x.scalar_type();
  TORCH_CHECK(tensor.scalar_type() == expected && tensor.device() == x.device(),
              "conv_norm: ", what, " must be ", expected, " on ", x.device(), ", but is ",
              tensor.scalar_type(), " on ", tensor.device());
}

void check_kernel(const at::Tensor& weight, int64_t channels, int64_t least) {
  const int64_t k = weight.dim() == 4 ? weight.size(2) : 0;
  TORCH_CHECK(k >= least && k <= 7 && k % 2 == 1 && weight.size(3) == k &&
                  weight.size(1) == channels && weight.size(0) > 0,
              "conv_norm: the weight must be [out, ", channels, ", k, k] with odd k from ", least,
              " to 7, but is ", weight.sizes());
}

void check_pointwise(const at::Tensor& weight, int64_t channels) {
  TORCH_CHECK(weight.dim() == 4 && weight.size(0) > 0 && weight.size(1) == channels &&
                  weight.size(2) == 1 && weight.size(3) == 1,
              "conv_norm: the pointwise weight must be [out, ", channels, ", 1, 1], but is ",
              weight.sizes());
}

void check_weights(const at::Tensor& x, at::TensorList weights, const ConvNormOptions& o) {
  const auto kind = static_cast<ConvKind>(o.kind);
  TORCH_CHECK(static_cast<int64_t>(weights.size()) == n_weights(kind), "conv_norm: expected ",
              n_weights(kind), " weights, got ", weights.size());
  for (const at::Tensor& weight : weights) {
    check_same_kind("a weight", weight, x);
  }
  const int64_t c = x.size(1);
  const bool depthwise = kind == ConvKind::Depthwise || kind == ConvKind::Separable;
  if (depthwise) {
    check_kernel(weights[0], 1, 3);
    TORCH_CHECK(weights[0].size(0) == c, "conv_norm: the depthwise weight must be of ", c,
                " channels, but is ", weights[0].sizes());
  }
  if (kind == ConvKind::Dense) {
    check_kernel(weights[0], c, 1);
  } else if (kind == ConvKind::Separable) {
    check_pointwise(weights[1], c);
  } else if (kind == ConvKind::Halving) {
    check_pointwise(weights[0], c);
    check_pointwise(weights[1], c);
  }
}

/// On the CPU or by what the module for GPUs registered.
std::tuple<at::Tensor, at::Tensor, at::Tensor> forward_on_device(const at::Tensor& x,
                                                                 at::TensorList weights,
                                                                 at::TensorList affine,
                                                                 at::TensorList running,
                                                                 const ConvNormOptions& o) {
  if (x.is_cpu()) {
    return cpu::conv_norm_forward(x, weights, affine, running, o);
  }
  const auto op = c10::Dispatcher::singleton()
                      .findSchemaOrThrow("retia::conv_norm_forward", "")
                      .typed<std::tuple<at::Tensor, at::Tensor, at::Tensor>(
                          const at::Tensor&, at::TensorList, at::TensorList, at::TensorList,
                          at::IntArrayRef, double, double)>();
  const at::AutoDispatchBelowADInplaceOrView below;
  return op.call(x, weights, affine, running, listed(o), o.momentum, o.epsilon);
}

std::vector<at::Tensor> backward_on_device(const at::Tensor& gradient, const variable_list& saved,
                                           at::TensorList weights, at::TensorList affine,
                                           const ConvNormOptions& o, ConvNormNeeds needs) {
  if (gradient.is_cpu()) {
    return listed(cpu::conv_norm_backward(gradient, saved[0], saved[1], weights, affine, saved[2],
                                          saved[3], o, needs));
  }
  const auto op = c10::Dispatcher::singleton()
                      .findSchemaOrThrow("retia::conv_norm_backward", "")
                      .typed<std::vector<at::Tensor>(
                          const at::Tensor&, const at::Tensor&, at::TensorList, at::TensorList,
                          const at::Tensor&, const at::Tensor&, at::IntArrayRef, bool, bool)>();
  return op.call(gradient, saved[0], weights, affine, saved[2], saved[3], listed(o), needs.x,
                 needs.weights);
}

class ConvNorm : public torch::autograd::Function<ConvNorm> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, at::TensorList weights,
                            at::TensorList affine, const std::vector<at::Tensor>& running,
                            const ConvNormOptions& o) {
    const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
    const auto [out, kept, moments] = forward_on_device(read, weights, affine, running, o);
    variable_list saved = {read, o.relu_after && x.is_cpu() ? out : at::Tensor(), kept, moments};
    saved.insert(saved.end(), weights.begin(), weights.end());
    saved.insert(saved.end(), affine.begin(), affine.end());
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["kind"] = o.kind;
    ctx->saved_data["stride"] = o.stride;
    ctx->saved_data["dilation"] = o.dilation;
    ctx->saved_data["relu_before"] = o.relu_before;
    ctx->saved_data["relu_after"] = o.relu_after;
    ctx->saved_data["training"] = o.training;
    ctx->saved_data["ranks"] = reinterpret_cast<int64_t>(o.ranks);
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "conv_norm is differentiable once: run the reference executor for gradients of "
                "gradients, or call without create_graph");
    const ConvNormOptions o = {
        .kind = ctx->saved_data["kind"].toInt(),
        .stride = ctx->saved_data["stride"].toInt(),
        .dilation = ctx->saved_data["dilation"].toInt(),
        .relu_before = ctx->saved_data["relu_before"].toBool(),
        .relu_after = ctx->saved_data["relu_after"].toBool(),
        .training = ctx->saved_data["training"].toBool(),
        .ranks = reinterpret_cast<SumOverRanks*>(ctx->saved_data["ranks"].toInt())};
    const variable_list saved = ctx->get_saved_variables();
    const auto n = static_cast<size_t>(n_weights(static_cast<ConvKind>(o.kind)));
    const at::TensorList weights = at::TensorList(saved).slice(4, n);
    const at::TensorList affine = at::TensorList(saved).slice(4 + n);
    ConvNormNeeds needs{.x = ctx->needs_input_grad(0), .weights = false};
    for (size_t i = 0; i < weights.size(); ++i) {
      needs.weights = needs.weights || ctx->needs_input_grad(1 + i);
    }
    variable_list result = backward_on_device(gradients[0], saved, weights, affine, o, needs);
    result.resize(result.size() + 2);  // of the running statistics and the options
    return result;
  }
};

}  // namespace

std::vector<int64_t> listed(const ConvNormOptions& o) {
  return {o.kind,
          o.stride,
          o.dilation,
          o.relu_before,
          o.relu_after,
          o.training,
          reinterpret_cast<int64_t>(o.ranks)};
}

ConvNormOptions conv_norm_options(at::IntArrayRef listed, double momentum, double epsilon) {
  return {.kind = listed[0],
          .stride = listed[1],
          .dilation = listed[2],
          .relu_before = listed[3] != 0,
          .relu_after = listed[4] != 0,
          .training = listed[5] != 0,
          .momentum = momentum,
          .epsilon = epsilon,
          .ranks = reinterpret_cast<SumOverRanks*>(listed[6])};
}

std::vector<at::Tensor> listed(const ConvNormGradients& gradients) {
  std::vector<at::Tensor> all = {gradients.x};
  all.insert(all.end(), gradients.weights.begin(), gradients.weights.end());
  all.insert(all.end(), gradients.affine.begin(), gradients.affine.end());
  return all;
}

int64_t n_weights(ConvKind kind) {
  switch (kind) {
    case ConvKind::Dense:
    case ConvKind::Depthwise:
      return 1;
    case ConvKind::Separable:
    case ConvKind::Halving:
      return 2;
    default:
      return 0;
  }
}

int64_t channels_out(const at::Tensor& x, at::TensorList weights, ConvKind kind) {
  switch (kind) {
    case ConvKind::Halving:
      return weights[0].size(0) + weights[1].size(0);
    case ConvKind::Dense:
    case ConvKind::Separable:
      return weights.back().size(0);
    default:
      return x.size(1);
  }
}

void check_conv_norm(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                     at::TensorList running, const ConvNormOptions& o) {
  TORCH_CHECK(x.dim() == 4 && x.numel() > 0 && (x.is_cpu() || x.is_cuda()) &&
                  (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble ||
                   (is_half(x) && x.is_cuda())),
              "conv_norm: x must be float32 or float64 (on a GPU also float16 or bfloat16) [n, C, "
              "H, W] and "
              "not empty, but is ",
              x.scalar_type(), " ", x.sizes(), " on ", x.device());
  TORCH_CHECK(o.kind >= 0 && o.kind <= kLastKind, "conv_norm: kinds are numbered 0 to ", kLastKind,
              ", got ", o.kind);
  const auto kind = static_cast<ConvKind>(o.kind);
  const bool strided_right = kind == ConvKind::Halving ? o.stride == 2
                             : kind == ConvKind::None  ? o.stride == 1
                                                       : o.stride >= 1;
  TORCH_CHECK(strided_right && o.dilation >= 1, "conv_norm: got stride ", o.stride,
              " and dilation ", o.dilation,
              ": both are at least 1, the stride of a halving is 2, and without convolution it "
              "is 1");
  TORCH_CHECK(kind != ConvKind::None || !o.relu_before,
              "conv_norm: relu comes before convolutions and pools only");
  check_weights(x, weights, o);
  const int64_t out = channels_out(x, weights, kind);
  for (const at::TensorList list : {affine, running}) {
    TORCH_CHECK(list.empty() || list.size() == 2,
                "conv_norm: affine and running hold two tensors or none, got ", list.size());
    for (const at::Tensor& tensor : list) {
      check_same_kind("a scale, shift or statistic", tensor, x);
      TORCH_CHECK(tensor.dim() == 1 && tensor.size(0) == out && tensor.is_contiguous(),
                  "conv_norm: scale, shift and statistics must be contiguous [", out,
                  "], but one is ", tensor.sizes());
    }
  }
  TORCH_CHECK(o.training || !running.empty(), "conv_norm needs running statistics in evaluation");
  const auto strided = [&](int64_t size) { return (size + o.stride - 1) / o.stride; };
  TORCH_CHECK(
      !o.training || o.ranks != nullptr || x.size(0) * strided(x.size(2)) * strided(x.size(3)) > 1,
      "conv_norm needs more than one value per channel while training, got ", x.sizes(),
      ": choose a batch size that leaves no single sample over");
}

at::Tensor conv_norm(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                     at::TensorList running, const ConvNormOptions& options) {
  const at::Tensor read = autocast(x);
  const WithoutAutocast as_given;
  return ConvNorm::apply(read, weights, affine, running.vec(), options);
}

TORCH_LIBRARY_FRAGMENT(retia, library) {
  library.def(
      "conv_norm(Tensor x, Tensor[] weights, Tensor[] affine, Tensor(a!)[] running, int kind, "
      "int stride=1, int dilation=1, bool relu_before=False, bool relu_after=False, "
      "bool training=True, float momentum=0.1, float epsilon=1e-05) -> Tensor");
  // What a device other than the CPU brings.
  library.def(
      "conv_norm_forward(Tensor x, Tensor[] weights, Tensor[] affine, Tensor(a!)[] running, "
      "int[] options, float momentum, float epsilon) -> (Tensor, Tensor, Tensor)");
  library.def(
      "conv_norm_backward(Tensor gradient, Tensor x, Tensor[] weights, Tensor[] affine, Tensor "
      "kept, "
      "Tensor moments, int[] options, bool needs_x, bool needs_weights) -> Tensor[]");
}

TORCH_LIBRARY_IMPL(retia, CompositeImplicitAutograd, library) {
  library.impl("conv_norm", [](const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                               at::TensorList running, int64_t kind, int64_t stride,
                               int64_t dilation, bool relu_before, bool relu_after, bool training,
                               double momentum, double epsilon) {
    return conv_norm(
        x, weights, affine, running,
        {kind, stride, dilation, relu_before, relu_after, training, momentum, epsilon});
  });
}

}  // namespace retia::kernels
