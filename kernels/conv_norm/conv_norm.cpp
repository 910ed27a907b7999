#include "kernels/conv_norm/conv_norm.h"

#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <string>

namespace retia::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kLastKind = static_cast<int64_t>(ConvKind::AveragePool3);

void check_same_kind(const char* what, const at::Tensor& tensor, const at::Tensor& x) {
  TORCH_CHECK(tensor.scalar_type() == x.scalar_type() && tensor.device() == x.device(),
              "conv_norm: ", what, " must be ", x.scalar_type(), " on ", x.device(), ", but is ",
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

class ConvNorm : public torch::autograd::Function<ConvNorm> {
 public:
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, at::TensorList weights,
                            at::TensorList affine, const std::vector<at::Tensor>& running,
                            const ConvNormOptions& o) {
    const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
    const auto [out, kept, moments] = cpu::conv_norm_forward(read, weights, affine, running, o);
    variable_list saved = {read, o.relu_after ? out : at::Tensor(), kept, moments};
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
    ConvNormGradients found = cpu::conv_norm_backward(gradients[0], saved[0], saved[1], weights,
                                                      affine, saved[2], saved[3], o, needs);
    variable_list result = {found.x};
    result.insert(result.end(), found.weights.begin(), found.weights.end());
    result.insert(result.end(), found.affine.begin(), found.affine.end());
    result.resize(result.size() + 2);  // of the running statistics and the options
    return result;
  }
};

}  // namespace

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
  TORCH_CHECK(
      x.dim() == 4 && x.numel() > 0 && x.device().is_cpu() &&
          (x.scalar_type() == at::kFloat || x.scalar_type() == at::kDouble),
      "conv_norm: x must be float32 or float64 [n, C, H, W] on the CPU and not empty, but is ",
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
  return ConvNorm::apply(x, weights, affine, running.vec(), options);
}

TORCH_LIBRARY_FRAGMENT(retia, library) {
  library.def(
      "conv_norm(Tensor x, Tensor[] weights, Tensor[] affine, Tensor(a!)[] running, int kind, "
      "int stride=1, int dilation=1, bool relu_before=False, bool relu_after=False, "
      "bool training=True, float momentum=0.1, float epsilon=1e-05) -> Tensor");
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
