#include "engine/mutables/input_choice.h"

#include <ATen/ops/cat.h>

#include "engine/base_mutator.h"

namespace retia {
namespace {

Mutable describe(InputChoiceModuleOptions& options) {
  TORCH_CHECK(options.n_candidates > 0, "an input choice needs at least one candidate, got ",
              options.n_candidates);
  TORCH_CHECK(
      !options.n_chosen || (*options.n_chosen >= 0 && *options.n_chosen <= options.n_candidates),
      "input choice '", options.label, "': n_chosen ", options.n_chosen.value_or(0),
      " is outside 0 to ", options.n_candidates, ", its number of candidates");
  TORCH_CHECK(options.reduction != Reduction::Concat || options.n_chosen.value_or(0) > 0,
              "input choice '", options.label,
              "': concat needs a fixed number of chosen inputs: give n_chosen, or reduction none");
  if (options.names.empty()) {
    for (int64_t i = 0; i < options.n_candidates; ++i) {
      options.names.push_back(std::to_string(i));
    }
  }
  options.fed_by.resize(static_cast<size_t>(options.n_candidates));
  TORCH_CHECK(static_cast<int64_t>(options.names.size()) == options.n_candidates, "input choice '",
              options.label, "': expected ", options.n_candidates, " names, got ",
              options.names.size());
  return {options.label,
          MutableKind::InputChoice,
          options.names,
          options.n_chosen,
          {},
          options.fed_by,
          {}};
}

}  // namespace

InputChoiceImpl::InputChoiceImpl(InputChoiceModuleOptions options)
    : MutableModule(describe(options)), reduction_(options.reduction) {}

at::Tensor InputChoiceImpl::forward(at::TensorList inputs) {
  check(inputs);
  TORCH_CHECK(reduction_ != Reduction::None, "input choice '", info().label,
              "' has reduction none, which makes a list: call select()");
  return mutator().on_forward_input_choice(*this, inputs);
}

std::vector<at::Tensor> InputChoiceImpl::select(at::TensorList inputs) {
  check(inputs);
  return mutator().on_select_inputs(*this, inputs);
}

void InputChoiceImpl::check(at::TensorList inputs) const {
  TORCH_CHECK(static_cast<int64_t>(inputs.size()) == info().n_candidates(), "input choice '",
              info().label, "' expected ", info().n_candidates(), " inputs, got ", inputs.size());
}

at::Tensor reduce(Reduction reduction, at::TensorList tensors) {
  TORCH_CHECK(!tensors.empty() && reduction != Reduction::None,
              "expected tensors and a way to join them");
  if (reduction == Reduction::Concat) {
    return at::cat(tensors, 1);
  }
  at::Tensor sum = tensors[0];
  for (size_t i = 1; i < tensors.size(); ++i) {
    sum = sum + tensors[i];
  }
  return reduction == Reduction::Mean && tensors.size() > 1
             ? sum / static_cast<double>(tensors.size())
             : sum;
}

}  // namespace retia
