#include "retia/kernels/conv_norm/conv_norm.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <limits>
#include <string>

#include "retia/kernels/argument.h"
#include "retia/kernels/autocast.h"
#include "retia/kernels/running_statistics.h"

namespace retia::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kLastKind = static_cast<int64_t>(ConvKind::AveragePool3);

using c10::SymInt;

void check_kernel(const at::Tensor& weight, const SymInt& channels, int64_t least) {
  const SymInt k = weight.dim() == 4 ? weight.sym_size(2) : SymInt(0);
  TORCH_CHECK(k >= least && k <= 7 && k % 2 == 1 && weight.sym_size(3) == k &&
                  weight.sym_size(1) == channels && weight.sym_size(0) > 0,
              "conv_norm: the weight must be [out, ", channels, ", k, k] with odd k from ", least,
              " to 7, but is ", weight.sym_sizes());
}

void check_pointwise(const at::Tensor& weight, const SymInt& channels) {
  TORCH_CHECK(weight.dim() == 4 && weight.sym_size(0) > 0 && weight.sym_size(1) == channels &&
                  weight.sym_size(2) == 1 && weight.sym_size(3) == 1,
              "conv_norm: the pointwise weight must be [out, ", channels, ", 1, 1], but is ",
              weight.sym_sizes());
}

void check_weights(const at::Tensor& x, at::TensorList weights, ConvKind kind) {
  TORCH_CHECK(static_cast<int64_t>(weights.size()) == n_weights(kind), "conv_norm: expected ",
              n_weights(kind), " weights, got ", weights.size());
  for (const at::Tensor& weight : weights) {
    TORCH_CHECK(goes_with(weight, x), "conv_norm: a weight must be ", dtype_beside(x), " on ",
                x.device(), ", but is ", described(weight));
  }
  const SymInt c = x.sym_size(1);
  if (kind == ConvKind::Depthwise || kind == ConvKind::Separable) {
    check_kernel(weights[0], 1, 3);
    TORCH_CHECK(weights[0].sym_size(0) == c, "conv_norm: the depthwise weight must be of ", c,
                " channels, but is ", weights[0].sym_sizes());
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

SymInt n_channels_out(const at::Tensor& x, at::TensorList weights, ConvKind kind) {
  switch (kind) {
    case ConvKind::Halving:
      return weights[0].sym_size(0) + weights[1].sym_size(0);
    case ConvKind::Dense:
    case ConvKind::Separable:
      return weights.back().sym_size(0);
    default:
      return x.sym_size(1);
  }
}

void check_list(const char* what, at::TensorList list, const at::Tensor& x, const SymInt& out) {
  TORCH_CHECK(list.empty() || list.size() == 2, "conv_norm: ", what,
              " are two tensors or none, got ", list.size());
  for (const at::Tensor& tensor : list) {
    TORCH_CHECK(goes_with(tensor, x) && tensor.dim() == 1 && tensor.sym_size(0) == out &&
                    tensor.is_contiguous(),
                "conv_norm: ", what, " must be contiguous ", dtype_beside(x), " [", out, "] on ",
                x.device(), ", but one is ", described(tensor));
  }
}

/// Checks all but the running statistics.
void check_layer(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                 const ConvNormOptions& o) {
  TORCH_CHECK(is_batch_of_images(x),
              "conv_norm: x must be float32 or float64 (on a GPU also float16 or bfloat16) [n, C, "
              "H, W] and not empty, but is ",
              described(x));
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
  check_weights(x, weights, kind);
  check_list("scale and shift", affine, x, n_channels_out(x, weights, kind));
}

/// Sizes of what forward returns, on this device or, of a meta tensor, on the one that it stands
/// for.
struct Returned {
  std::vector<SymInt> out, kept, moments;
  at::ScalarType dtype_of_batch;
};

Returned returned(const at::Tensor& x, at::TensorList weights, const ConvNormOptions& o) {
  const auto kind = static_cast<ConvKind>(o.kind);
  const SymInt n = x.sym_size(0), channels = n_channels_out(x, weights, kind);
  const SymInt height = n_strided(x.sym_size(2), o.stride);
  const SymInt width = n_strided(x.sym_size(3), o.stride);
  Returned sizes = {{n, channels, height, width}, {0}, {}, at::kDouble};
  if (is_for_gpu(x)) {
    sizes.dtype_of_batch = dtype_beside(x);
    sizes.moments = {4, channels};
    sizes.kept = kind == ConvKind::None ? sizes.kept : sizes.out;
  } else {
    sizes.moments = {2, whole(channels)};
    if (kind != ConvKind::None) {
      sizes.kept = {n, whole(height * width) * whole(channels)};
    }
  }
  return sizes;
}

at::MemoryFormat layout_of_kept(const at::Tensor& x, at::SymIntArrayRef sizes) {
  return is_for_gpu(x) && sizes.size() == 4 ? at::MemoryFormat::ChannelsLast
                                            : at::MemoryFormat::Contiguous;
}

const auto& forward_operator() {
  static const auto found = c10::Dispatcher::singleton()
                                .findSchemaOrThrow("retia::conv_norm_forward", "")
                                .typed<conv_norm_operators::Forward>();
  return found;
}

const auto& backward_operator() {
  static const auto found = c10::Dispatcher::singleton()
                                .findSchemaOrThrow("retia::conv_norm_backward", "")
                                .typed<conv_norm_operators::Backward>();
  return found;
}

/// The arguments of the forward operator that are no tensors.
struct Settings {
  ConvNormOptions options;  ///< without momentum and ranks
  std::string group;
};

class ConvNorm : public torch::autograd::Function<ConvNorm> {
 public:
  /// Returns the result. all: set to all that the operator returns, of which the result alone has a
  /// gradient.
  static at::Tensor forward(AutogradContext* ctx, const at::Tensor& x, at::TensorList weights,
                            at::TensorList affine, const std::vector<at::Tensor>& running,
                            const Settings& settings, ConvNormForward* all) {
    const ConvNormOptions& o = settings.options;
    {
      const at::AutoDispatchBelowADInplaceOrView below;
      *all = forward_operator().call(x, weights, affine, running, o.kind, o.stride, o.dilation,
                                     o.relu_before, o.relu_after, o.training, o.epsilon,
                                     settings.group);
    }
    const auto& [out, kept, moments, batch] = *all;
    variable_list saved = {x, o.relu_after && x.is_cpu() ? out : at::Tensor(), kept, moments};
    saved.insert(saved.end(), weights.begin(), weights.end());
    saved.insert(saved.end(), affine.begin(), affine.end());
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["settings"] =
        std::vector<int64_t>{o.kind, o.stride, o.dilation, o.relu_before, o.relu_after, o.training};
    ctx->saved_data["group"] = settings.group;
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "conv_norm is differentiable once: run the reference executor for gradients of "
                "gradients, or call without create_graph");
    const std::vector<int64_t> settings = ctx->saved_data["settings"].toIntVector();
    const variable_list saved = ctx->get_saved_variables();
    const auto n = static_cast<size_t>(n_weights(static_cast<ConvKind>(settings[0])));
    const at::TensorList weights = at::TensorList(saved).slice(4, n);
    const at::TensorList affine = at::TensorList(saved).slice(4 + n);
    ConvNormNeeds needs{.x = ctx->needs_input_grad(0), .weights = false};
    for (size_t i = 0; i < n; ++i) {
      needs.weights = needs.weights || ctx->needs_input_grad(1 + i);
    }
    const std::optional<at::Tensor> out =
        saved[1].defined() ? std::optional(saved[1]) : std::nullopt;
    const at::AutoDispatchBelowADInplaceOrView below;
    const std::vector<at::Tensor> found = backward_operator().call(
        gradients[0], saved[0], out, weights, affine, saved[2], saved[3], settings[0], settings[1],
        settings[2], settings[3] != 0, settings[4] != 0, settings[5] != 0,
        ctx->saved_data["group"].toStringRef(), needs.x, needs.weights);
    variable_list result(1 + n + affine.size() + 3);  // last: arguments without gradients
    auto next = found.begin();
    if (needs.x) {
      result[0] = *next++;
    }
    std::copy(next, found.end(),
              result.begin() + 1 + (needs.weights ? 0 : static_cast<int64_t>(n)));
    return result;
  }
};

ConvNormForward forward_with_gradient(const at::Tensor& x, at::TensorList weights,
                                      at::TensorList affine, at::TensorList running, int64_t kind,
                                      int64_t stride, int64_t dilation, bool relu_before,
                                      bool relu_after, bool training, double epsilon,
                                      std::string_view group) {
  const Settings settings = {{.kind = kind,
                              .stride = stride,
                              .dilation = dilation,
                              .relu_before = relu_before,
                              .relu_after = relu_after,
                              .training = training,
                              .epsilon = epsilon},
                             std::string(group)};
  // The device's check refuses any other x.
  const at::Tensor read = is_batch_of_images(x) ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
  ConvNormForward all;
  std::get<0>(all) = ConvNorm::apply(read, weights, affine, running.vec(), settings, &all);
  return all;
}

ConvNormForward forward_of_sizes(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                                 at::TensorList running, int64_t kind, int64_t stride,
                                 int64_t dilation, bool relu_before, bool relu_after, bool training,
                                 double epsilon, std::string_view group) {
  const ConvNormOptions o = {.kind = kind,
                             .stride = stride,
                             .dilation = dilation,
                             .relu_before = relu_before,
                             .relu_after = relu_after,
                             .training = training,
                             .epsilon = epsilon};
  check_conv_norm(x, weights, affine, running, o, group);
  const Returned sizes = returned(x, weights, o);
  const at::TensorOptions options = x.options();
  const std::vector<SymInt> of_batch =
      training ? std::vector<SymInt>{1, 3, sizes.out[1]} : std::vector<SymInt>{0};
  return {at::empty_symint(sizes.out, options.memory_format(at::MemoryFormat::ChannelsLast)),
          at::empty_symint(sizes.kept, options.memory_format(layout_of_kept(x, sizes.kept))),
          at::empty_symint(sizes.moments, options.dtype(dtype_beside(x))),
          at::empty_symint(of_batch, options.dtype(sizes.dtype_of_batch))};
}

std::vector<at::Tensor> backward_of_sizes(const at::Tensor& gradient, const at::Tensor& x,
                                          const std::optional<at::Tensor>& out,
                                          at::TensorList weights, at::TensorList affine,
                                          const at::Tensor& kept, const at::Tensor& moments,
                                          int64_t kind, int64_t stride, int64_t dilation,
                                          bool relu_before, bool relu_after, bool training,
                                          std::string_view, bool needs_x, bool needs_weights) {
  conv_norm_operators::check_backward(gradient, x, out, weights, affine, kept, moments,
                                      {.kind = kind,
                                       .stride = stride,
                                       .dilation = dilation,
                                       .relu_before = relu_before,
                                       .relu_after = relu_after,
                                       .training = training});
  std::vector<at::Tensor> found;
  if (needs_x) {
    found.push_back(at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast));
  }
  for (const at::Tensor& weight : needs_weights ? weights : at::TensorList()) {
    found.push_back(at::empty_like(weight, weight.options(), at::MemoryFormat::Contiguous));
  }
  for (const at::Tensor& factor : affine) {
    found.push_back(at::empty_like(factor));
  }
  return found;
}

/// Computes conv_norm() with the ranks that `group` names.
at::Tensor conv_norm_in_group(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                              at::TensorList running, const ConvNormOptions& o,
                              std::string_view group) {
  const at::Tensor read = autocast(x);
  const WithoutAutocast as_given;
  const auto [out, kept, moments, batch] =
      forward_operator().call(read, weights, affine, running, o.kind, o.stride, o.dilation,
                              o.relu_before, o.relu_after, o.training, o.epsilon, group);
  if (o.training && !running.empty()) {
    move_running(running, batch, o.momentum);
  }
  return out;
}

}  // namespace

std::vector<at::Tensor> listed(const ConvNormGradients& gradients) {
  std::vector<at::Tensor> all = {gradients.x};
  all.insert(all.end(), gradients.weights.begin(), gradients.weights.end());
  all.insert(all.end(), gradients.affine.begin(), gradients.affine.end());
  return all;
}

std::vector<at::Tensor> needed(const ConvNormGradients& gradients) {
  std::vector<at::Tensor> all = listed(gradients);
  all.erase(std::remove_if(all.begin(), all.end(),
                           [](const at::Tensor& gradient) { return !gradient.defined(); }),
            all.end());
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
  return n_channels_out(x, weights, kind).expect_int();
}

void check_conv_norm(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                     at::TensorList running, const ConvNormOptions& o, std::string_view group) {
  check_layer(x, weights, affine, o);
  check_list("running statistics", running, x,
             n_channels_out(x, weights, static_cast<ConvKind>(o.kind)));
  TORCH_CHECK(o.training || !running.empty(), "conv_norm needs running statistics in evaluation");
  TORCH_CHECK(
      !o.training || !group.empty() ||
          x.sym_size(0) * n_strided(x.sym_size(2), o.stride) * n_strided(x.sym_size(3), o.stride) >
              1,
      "conv_norm needs more than one value per channel while training, got ", x.sym_sizes(),
      ": choose a batch size that leaves no single sample over");
}

namespace conv_norm_operators {

void check_backward(const at::Tensor& gradient, const at::Tensor& x,
                    const std::optional<at::Tensor>& out, at::TensorList weights,
                    at::TensorList affine, const at::Tensor& kept, const at::Tensor& moments,
                    const ConvNormOptions& o) {
  check_layer(x, weights, affine, o);
  const Returned sizes = returned(x, weights, o);
  const auto check = [&](const char* what, const at::Tensor& tensor, at::SymIntArrayRef expected,
                         at::ScalarType dtype) {
    TORCH_CHECK(is_array(tensor) && tensor.sym_sizes() == expected &&
                    tensor.scalar_type() == dtype && tensor.device() == x.device(),
                "conv_norm_backward: ", what, " must be ", dtype, " ", expected, " on ", x.device(),
                ", but is ", described(tensor));
  };
  check("the gradient", gradient, sizes.out, x.scalar_type());
  check("what is normalised", kept, sizes.kept, x.scalar_type());
  check("what is normalised by", moments, sizes.moments, dtype_beside(x));
  TORCH_CHECK(kept.is_contiguous(layout_of_kept(x, sizes.kept)) && moments.is_contiguous(),
              "conv_norm_backward: kept and moments must be laid out as forward returned them");
  if (o.relu_after && !is_for_gpu(x)) {
    check("the result", out.value_or(at::Tensor()), sizes.out, x.scalar_type());
  }
}

ConvNormOptions within(const at::Tensor& x, ConvNormOptions o) {
  const int64_t largest = std::max({x.size(2), x.size(3), int64_t{2}});
  o.stride = std::min(o.stride, largest);
  o.dilation = std::min(o.dilation, largest);
  return o;
}

}  // namespace conv_norm_operators

at::Tensor conv_norm(const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                     at::TensorList running, const ConvNormOptions& options) {
  return conv_norm_in_group(x, weights, affine, running, options,
                            options.ranks == nullptr ? std::string_view() : options.ranks->group());
}

TORCH_LIBRARY_FRAGMENT(retia, library) {
  library.def(
      "conv_norm(Tensor x, Tensor[] weights, Tensor[] affine, Tensor(a!)[] running, int kind, "
      "int stride=1, int dilation=1, bool relu_before=False, bool relu_after=False, "
      "bool training=True, float momentum=0.1, float epsilon=1e-05, str group='') -> Tensor");
  library.def(
      "conv_norm_forward(Tensor x, Tensor[] weights, Tensor[] affine, Tensor[] running, int kind, "
      "int stride, int dilation, bool relu_before, bool relu_after, bool training, float epsilon, "
      "str group) -> (Tensor out, Tensor kept, Tensor moments, Tensor batch)");
  library.def(
      "conv_norm_backward(Tensor gradient, Tensor x, Tensor? out, Tensor[] weights, "
      "Tensor[] affine, Tensor kept, Tensor moments, int kind, int stride, int dilation, "
      "bool relu_before, bool relu_after, bool training, str group, bool needs_x, "
      "bool needs_weights) -> Tensor[]");
}

TORCH_LIBRARY_IMPL(retia, CompositeImplicitAutograd, library) {
  library.impl("conv_norm", [](const at::Tensor& x, at::TensorList weights, at::TensorList affine,
                               at::TensorList running, int64_t kind, int64_t stride,
                               int64_t dilation, bool relu_before, bool relu_after, bool training,
                               double momentum, double epsilon, std::string_view group) {
    return conv_norm_in_group(
        x, weights, affine, running,
        {kind, stride, dilation, relu_before, relu_after, training, momentum, epsilon}, group);
  });
}

TORCH_LIBRARY_IMPL(retia, Autograd, library) {
  library.impl("conv_norm_forward", &forward_with_gradient);
  library.impl("conv_norm_backward", torch::autograd::autogradNotImplementedFallback());
}

TORCH_LIBRARY_IMPL(retia, Meta, library) {
  library.impl("conv_norm_forward", &forward_of_sizes);
  library.impl("conv_norm_backward", &backward_of_sizes);
}

}  // namespace retia::kernels
