#include "retia/kernels/mixed_op/mixed_op.h"

#include <ATen/core/LegacyTypeDispatch.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include "retia/kernels/autocast.h"

namespace retia::kernels {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

using Forward = std::tuple<std::vector<at::Tensor>, at::Tensor, at::Tensor>;
using Backward = std::tuple<at::Tensor, at::Tensor, std::vector<at::Tensor>>;

/// On the CPU or by what the module for GPUs registered.
Forward forward_on_device(const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                          at::TensorList running, at::TensorList sums, const MixedOpOptions& o) {
  if (x.is_cpu()) {
    return cpu::mixed_ops_forward(x, blend, weights, running, sums, o);
  }
  const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("retia::mixed_ops_forward", "")
          .typed<Forward(const at::Tensor&, const at::Tensor&, at::TensorList, at::TensorList,
                         at::TensorList, at::IntArrayRef, at::IntArrayRef, at::IntArrayRef,
                         at::IntArrayRef, double, double)>();
  const at::AutoDispatchBelowADInplaceOrView below;
  return op.call(x, blend, weights, running, sums, o.branches, o.edges, o.summed, listed(o),
                 o.momentum, o.epsilon);
}

Backward backward_on_device(at::TensorList gradients, const variable_list& saved,
                            at::TensorList weights, const MixedOpOptions& o, MixedOpNeeds needs) {
  if (saved[0].is_cpu()) {
    return cpu::mixed_ops_backward(gradients, saved[0], saved[1], weights, saved[2], saved[3], o,
                                   needs);
  }
  const auto op =
      c10::Dispatcher::singleton()
          .findSchemaOrThrow("retia::mixed_ops_backward", "")
          .typed<Backward(at::TensorList, const at::Tensor&, const at::Tensor&, at::TensorList,
                          const at::Tensor&, const at::Tensor&, at::IntArrayRef, at::IntArrayRef,
                          at::IntArrayRef, bool, bool)>();
  return op.call(gradients, saved[0], saved[1], weights, saved[2], saved[3], o.branches, o.edges,
                 listed(o), needs.x, needs.weights);
}

class MixedOps : public torch::autograd::Function<MixedOps> {
 public:
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& blend,
                               at::TensorList weights, at::TensorList sums,
                               const std::vector<at::Tensor>& running,
                               const MixedOpOptions& options) {
    const at::Tensor read = x.contiguous(at::MemoryFormat::ChannelsLast);
    auto [out, kept, moments] = forward_on_device(read, blend, weights, running, sums, options);
    variable_list saved = {read, blend, kept, moments};
    saved.insert(saved.end(), weights.begin(), weights.end());
    ctx->save_for_backward(std::move(saved));
    ctx->saved_data["branches"] = options.branches;
    ctx->saved_data["edges"] = options.edges;
    ctx->saved_data["summed"] = options.summed;
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
        .edges = ctx->saved_data["edges"].toIntVector(),
        .summed = ctx->saved_data["summed"].toIntVector(),
        .stride = ctx->saved_data["stride"].toInt(),
        .training = ctx->saved_data["training"].toBool(),
        .ranks = reinterpret_cast<SumOverRanks*>(ctx->saved_data["ranks"].toInt())};
    MixedOpNeeds needs{.x = ctx->needs_input_grad(0), .weights = false};
    for (size_t i = 0; i < weights.size(); ++i) {
      needs.weights = needs.weights || ctx->needs_input_grad(2 + i);
    }
    auto [to_x, to_blend, to_weights] =
        backward_on_device(gradients, saved, weights, options, needs);
    variable_list result = {to_x, to_blend};
    result.insert(result.end(), to_weights.begin(), to_weights.end());
    for (const int64_t edge : options.summed) {
      result.push_back(gradients[static_cast<size_t>(edge)]);
    }
    result.resize(result.size() + 2);  // of the running statistics and the options
    return result;
  }
};

}  // namespace

std::vector<int64_t> listed(const MixedOpOptions& o) {
  return {o.stride, o.training, reinterpret_cast<int64_t>(o.ranks)};
}

MixedOpOptions mixed_op_options(at::IntArrayRef branches, at::IntArrayRef edges,
                                at::IntArrayRef summed, at::IntArrayRef listed, double momentum,
                                double epsilon) {
  return {.branches = branches.vec(),
          .edges = edges.vec(),
          .summed = summed.vec(),
          .stride = listed[0],
          .training = listed[1] != 0,
          .momentum = momentum,
          .epsilon = epsilon,
          .ranks = reinterpret_cast<SumOverRanks*>(listed[2])};
}

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
  const at::Tensor read = autocast(x);
  const WithoutAutocast as_given;
  check_mixed_ops(read, blend, weights, running, sums, options);
  return MixedOps::apply(read, blend, weights, sums, running.vec(), options);
}

TORCH_LIBRARY_FRAGMENT(retia, library) {
  library.def(
      "mixed_op(Tensor x, Tensor blend, Tensor[] weights, Tensor(a!)[] running, int[] branches, "
      "int stride=1, bool training=True, float momentum=0.1, float epsilon=1e-05) -> Tensor");
  // What a device other than the CPU brings.
  library.def(
      "mixed_ops_forward(Tensor x, Tensor blend, Tensor[] weights, Tensor(a!)[] running, "
      "Tensor[] sums, int[] branches, int[] edges, int[] summed, int[] options, float momentum, "
      "float epsilon) -> (Tensor[], Tensor, Tensor)");
  library.def(
      "mixed_ops_backward(Tensor[] gradients, Tensor x, Tensor blend, Tensor[] weights, "
      "Tensor kept, Tensor moments, int[] branches, int[] edges, int[] options, bool needs_x, "
      "bool needs_weights) -> (Tensor, Tensor, Tensor[])");
}

TORCH_LIBRARY_IMPL(retia, CompositeImplicitAutograd, library) {
  library.impl("mixed_op", [](const at::Tensor& x, const at::Tensor& blend, at::TensorList weights,
                              at::TensorList running, at::IntArrayRef branches, int64_t stride,
                              bool training, double momentum, double epsilon) {
    return mixed_op(x, blend, weights, running,
                    {.branches = branches.vec(),
                     .stride = stride,
                     .training = training,
                     .momentum = momentum,
                     .epsilon = epsilon});
  });
}

}  // namespace retia::kernels
