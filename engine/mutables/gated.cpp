#include "retia/engine/mutables/gated.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/stack.h>
#include <torch/csrc/autograd/custom_function.h>

#include "retia/engine/base/precision.h"

namespace retia {
namespace {

using torch::autograd::AutogradContext;

/// The candidates, to be run by the backward pass.
struct Candidates final : torch::CustomClassHolder {
  int64_t n = 0, open = 0;
  at::ScalarType dtype = at::kFloat;      // of gates
  at::ScalarType precision = at::kFloat;  // of the forward pass
  std::function<at::Tensor(int64_t)> run;
};

struct Gated final : torch::autograd::Function<Gated> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& output, const at::Tensor&,
                            const c10::intrusive_ptr<Candidates>& candidates) {
    context->save_for_backward({output});
    context->saved_data["candidates"] = at::IValue::make_capsule(candidates);
    return output;
  }

  static torch::autograd::variable_list backward(AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const at::NoGradGuard no_grad;
    const at::Tensor& gradient = gradients.front();
    at::Tensor of_gates;
    if (context->needs_input_grad(1)) {
      const auto capsule = context->saved_data.at("candidates").toCapsule();
      const auto& candidates = static_cast<const Candidates&>(*capsule);
      const at::Tensor output = context->get_saved_variables().front();
      const Autocast as_forward(output.device().type(), candidates.precision);
      std::vector<at::Tensor> products;
      for (int64_t k = 0; k < candidates.n; ++k) {
        const at::Tensor made = k == candidates.open ? output : candidates.run(k);
        products.push_back((gradient * made).sum(candidates.dtype));
      }
      of_gates = at::stack(products);
    }
    return {gradient, of_gates, {}};
  }
};

}  // namespace

at::Tensor gated(const at::Tensor& output, int64_t open, const at::Tensor& gates,
                 std::function<at::Tensor(int64_t k)> run) {
  auto candidates = c10::make_intrusive<Candidates>();
  candidates->n = gates.size(0);
  candidates->precision = autocast_to(output.device().type());
  candidates->dtype = gates.scalar_type();
  candidates->open = open;
  candidates->run = std::move(run);
  return Gated::apply(output, gates, candidates);
}

}  // namespace retia
