#include "retia/kernels/mixed_op/mixed_op.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <algorithm>
#include <string>

#include "retia/kernels/argument.h"
#include "retia/kernels/autocast.h"
#include "retia/kernels/running_statistics.h"

namespace retia::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

const auto& mixed_ops_forward_operator() {
  static const auto found = c10::Dispatcher::singleton()
                                .findSchemaOrThrow("retia::mixed_ops_forward", "")
                                .typed<mixed_op_operators::Forward>();
  return found;
}

const auto& mixed_ops_backward_operator() {
  static const auto found = c10::Dispatcher::singleton()
                                .findSchemaOrThrow("retia::mixed_ops_backward", "")
                                .typed<mixed_op_operators::Backward>();
  return found;
}

/// The arguments of the forward operator that are no tensors.
struct MixedOpsSettings {
  at::IntArrayRef branches, edges, summed;
  int64_t stride;
  bool training;
  double epsilon;
  std::string_view group;
};

class MixedOps : public torch::autograd::Function<MixedOps> {
 public:
  /// Returns the results. all: set to all that the operator returns, of which the results alone
  /// have gradients.
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& blend,
                               at::TensorList weights, at::TensorList sums,
                               const std::vector<at::Tensor>& running, const MixedOpsSettings& o,
                               MixedOpsForward* all) {
    {
      const at::AutoDispatchBelowADInplaceOrView below;
      *all =
          mixed_ops_forward_operator().call(x, blend, weights, running, sums, o.branches, o.edges,
                                            o.summed, o.stride, o.training, o.epsilon, o.group);
    }
    const auto& [out, kept, moments, batch] = *all;
    variable_list saved = {x, blend, kept, moments};
    saved.insert(saved.end(), weights.begin(), weights.end());
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["branches"] = o.branches;
    ctx->saved_data["edges"] = o.edges;
    ctx->saved_data["summed"] = o.summed;
    ctx->saved_data["stride"] = o.stride;
    ctx->saved_data["training"] = o.training;
    ctx->saved_data["group"] = std::string(o.group);
    return out;
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(),
                "mixed_op is differentiable once: run the reference executor for gradients of "
                "gradients, or call without create_graph");
    const variable_list saved = ctx->get_saved_variables();
    const at::TensorList weights = at::TensorList(saved).slice(4);
    MixedOpNeeds needs{.x = ctx->needs_input_grad(0), .weights = false};
    for (size_t i = 0; i < weights.size(); ++i) {
      needs.weights = needs.weights || ctx->needs_input_grad(2 + i);
    }
    const at::AutoDispatchBelowADInplaceOrView below;
    const std::vector<at::Tensor> found = mixed_ops_backward_operator().call(
        gradients, saved[0], saved[1], weights, saved[2], saved[3],
        ctx->saved_data["branches"].toIntVector(), ctx->saved_data["edges"].toIntVector(),
        ctx->saved_data["stride"].toInt(), ctx->saved_data["training"].toBool(),
        ctx->saved_data["group"].toStringRef(), needs.x, needs.weights);
    auto next = found.begin();
    variable_list result(2 + weights.size());
    result[1] = *next++;
    if (needs.x) {
      result[0] = *next++;
    }
    std::copy(next, found.end(), result.begin() + 2);
    for (const int64_t edge : ctx->saved_data["summed"].toIntVector()) {
      result.push_back(gradients[static_cast<size_t>(edge)]);
    }
    result.resize(result.size() + 3);  // arguments without gradients
    return result;
  }
};

MixedOpsForward mixed_ops_with_gradient(const at::Tensor& x, const at::Tensor& blend,
                                        at::TensorList weights, at::TensorList running,
                                        at::TensorList sums, at::IntArrayRef branches,
                                        at::IntArrayRef edges, at::IntArrayRef summed,
                                        int64_t stride, bool training, double epsilon,
                                        std::string_view group) {
  // The device's check refuses any other x.
  const at::Tensor read = is_batch_of_images(x) ? x.contiguous(at::MemoryFormat::ChannelsLast) : x;
  const MixedOpsSettings settings = {branches, edges, summed, stride, training, epsilon, group};
  MixedOpsForward all;
  std::get<0>(all) = MixedOps::apply(read, blend, weights, sums, running.vec(), settings, &all);
  return all;
}

MixedOpOptions options_of(at::IntArrayRef branches, at::IntArrayRef edges, at::IntArrayRef summed,
                          int64_t stride, bool training) {
  return {.branches = branches.vec(),
          .edges = edges.vec(),
          .summed = summed.vec(),
          .stride = stride,
          .training = training};
}

MixedOpsForward mixed_ops_of_sizes(const at::Tensor& x, const at::Tensor& blend,
                                   at::TensorList weights, at::TensorList running,
                                   at::TensorList sums, at::IntArrayRef branches,
                                   at::IntArrayRef edges, at::IntArrayRef summed, int64_t stride,
                                   bool training, double, std::string_view group) {
  const MixedOpOptions o = options_of(branches, edges, summed, stride, training);
  check_mixed_ops(x, blend, weights, running, sums, o, group);
  const mixed_op_operators::Returned sizes = mixed_op_operators::returned(x, o);
  std::vector<at::Tensor> out;
  for (size_t i = 0; i < std::max<size_t>(edges.size(), 1); ++i) {
    out.push_back(
        at::empty_symint(sizes.out, x.options().memory_format(at::MemoryFormat::ChannelsLast)));
  }
  return {std::move(out), at::empty_symint(sizes.kept, x.options()),
          at::empty_symint(sizes.moments, x.options().dtype(dtype_beside(x))),
          at::empty_symint(sizes.batch, x.options().dtype(sizes.dtype_of_batch))};
}

std::vector<at::Tensor> mixed_ops_backward_of_sizes(at::TensorList gradients, const at::Tensor& x,
                                                    const at::Tensor& blend, at::TensorList weights,
                                                    const at::Tensor& kept,
                                                    const at::Tensor& moments,
                                                    at::IntArrayRef branches, at::IntArrayRef edges,
                                                    int64_t stride, bool training, std::string_view,
                                                    bool needs_x, bool needs_weights) {
  mixed_op_operators::check_backward(gradients, x, blend, weights, kept, moments,
                                     options_of(branches, edges, {}, stride, training));
  std::vector<at::Tensor> found = {
      at::empty_like(blend, blend.options(), at::MemoryFormat::Contiguous)};
  if (needs_x) {
    found.push_back(at::empty_like(x, x.options(), at::MemoryFormat::ChannelsLast));
  }
  for (const at::Tensor& weight : needs_weights ? weights : at::TensorList()) {
    found.push_back(at::empty_like(weight, weight.options(), at::MemoryFormat::Contiguous));
  }
  return found;
}

/// Computes mixed_ops() with the ranks that `group` names.
std::vector<at::Tensor> mixed_ops_in_group(const at::Tensor& x, const at::Tensor& blend,
                                           at::TensorList weights, at::TensorList running,
                                           at::TensorList sums, const MixedOpOptions& o,
                                           std::string_view group) {
  const at::Tensor read = autocast(x);
  const WithoutAutocast as_given;
  auto [out, kept, moments, batch] =
      mixed_ops_forward_operator().call(read, blend, weights, running, sums, o.branches, o.edges,
                                        o.summed, o.stride, o.training, o.epsilon, group);
  if (o.training && !running.empty()) {
    move_running(running, batch, o.momentum);
  }
  return std::move(out);
}

}  // namespace

std::vector<MixedEdge> edges_of(const MixedOpOptions& options) {
  std::vector<int64_t> sizes = options.edges;
  if (sizes.empty()) {
    sizes.push_back(static_cast<int64_t>(options.branches.size()));
  }
  std::vector<MixedEdge> edges;
  MixedEdge next;
  for (const int64_t size : sizes) {
    MixedEdge& edge = edges.emplace_back(next);
    for (; edge.n_branches < size; ++edge.n_branches) {
      const auto branch =
          static_cast<MixedBranch>(options.branches[static_cast<size_t>(next.branch++)]);
      edge.n_weights += n_weights(branch);
      edge.n_norms += n_norms(branch);
    }
    next.weight += edge.n_weights;
    next.norm += edge.n_norms;
  }
  return edges;
}

at::Tensor mixed_op(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                    at::TensorList running, const MixedOpOptions& options) {
  TORCH_CHECK(options.edges.size() < 2, "mixed_op is of one edge, got ", options.edges.size(),
              ": call mixed_ops");
  return mixed_ops(x, blend, weights, running, {}, options).front();
}

std::vector<at::Tensor> mixed_ops(const at::Tensor& x, const at::Tensor& blend,
                                  at::TensorList weights, at::TensorList running,
                                  at::TensorList sums, const MixedOpOptions& options) {
  return mixed_ops_in_group(x, blend, weights, running, sums, options,
                            options.ranks == nullptr ? std::string_view() : options.ranks->group());
}

TORCH_LIBRARY_FRAGMENT(retia, library) {
  library.def(
      "mixed_op(Tensor x, Tensor blend, Tensor[] weights, Tensor(a!)[] running, int[] branches, "
      "int stride=1, bool training=True, float momentum=0.1, float epsilon=1e-05, str group='') "
      "-> Tensor");
  library.def(
      "mixed_ops_forward(Tensor x, Tensor blend, Tensor[] weights, Tensor[] running, "
      "Tensor[] sums, int[] branches, int[] edges, int[] summed, int stride, bool training, "
      "float epsilon, str group) -> (Tensor[] out, Tensor kept, Tensor moments, Tensor batch)");
  library.def(
      "mixed_ops_backward(Tensor[] gradients, Tensor x, Tensor blend, Tensor[] weights, "
      "Tensor kept, Tensor moments, int[] branches, int[] edges, int stride, bool training, "
      "str group, bool needs_x, bool needs_weights) -> Tensor[]");
}

TORCH_LIBRARY_IMPL(retia, CompositeImplicitAutograd, library) {
  library.impl("mixed_op",
               [](const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                  at::TensorList running, at::IntArrayRef branches, int64_t stride, bool training,
                  double momentum, double epsilon, std::string_view group) {
                 return mixed_ops_in_group(x, blend, weights, running, {},
                                           {.branches = branches.vec(),
                                            .stride = stride,
                                            .training = training,
                                            .momentum = momentum,
                                            .epsilon = epsilon},
                                           group)
                     .front();
               });
}

TORCH_LIBRARY_IMPL(retia, Autograd, library) {
  library.impl("mixed_ops_forward", &mixed_ops_with_gradient);
  library.impl("mixed_ops_backward", torch::autograd::autogradNotImplementedFallback());
}

TORCH_LIBRARY_IMPL(retia, Meta, library) {
  library.impl("mixed_ops_forward", &mixed_ops_of_sizes);
  library.impl("mixed_ops_backward", &mixed_ops_backward_of_sizes);
}

}  // namespace retia::kernels
