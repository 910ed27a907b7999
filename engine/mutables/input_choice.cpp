#include "retia/engine/mutables/input_choice.h"

#include <ATen/ops/cat.h>

#include <algorithm>

#include "retia/engine/base/suggest.h"
#include "retia/engine/mutables/base_mutator.h"

namespace retia {
namespace {

/// Takes number and names of the candidates from their keys.
void read_keys(InputChoiceModuleOptions& options) {
  const auto n_keys = static_cast<int64_t>(options.choose_from.size());
  if (n_keys == 0) {
    return;
  }
  TORCH_CHECK(options.n_candidates == 0 || options.n_candidates == n_keys, "input choice '",
              options.label, "': expected a key in choose_from for each of ", options.n_candidates,
              " candidates, got ", n_keys);
  TORCH_CHECK(options.names.empty(), "input choice '", options.label,
              "': give either names or choose_from: the keys are names");
  options.n_candidates = n_keys;
  for (int64_t i = 0; i < n_keys; ++i) {
    const std::string& key = options.choose_from[static_cast<size_t>(i)];
    options.names.push_back(key.empty() ? std::to_string(i) : key);
  }
}

Mutable describe(InputChoiceModuleOptions& options) {
  read_keys(options);
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
          options.kind,
          options.names,
          options.n_chosen,
          {},
          options.kind == MutableKind::InputChoice ? options.fed_by : std::vector<std::string>(),
          {}};
}

/// Returns the chosen inputs, multiplied by the weights if there are any.
std::vector<at::Tensor> selected_by(const Verdict& verdict, at::TensorList inputs) {
  std::vector<at::Tensor> selected;
  for (size_t k = 0; k < verdict.chosen.size(); ++k) {
    const at::Tensor& input = inputs[static_cast<size_t>(verdict.chosen[k])];
    selected.push_back(verdict.scalars.empty() ? input : input * verdict.scalars[k]);
  }
  return selected;
}

}  // namespace

InputChoiceImpl::InputChoiceImpl(InputChoiceModuleOptions options)
    : MutableModule(describe(options)),
      reduction_(options.reduction),
      choose_from_(std::move(options.choose_from)) {}

at::Tensor InputChoiceImpl::forward(at::TensorList inputs) {
  check(inputs);
  TORCH_CHECK(reduction_ != Reduction::None, "input choice '", info().label,
              "' has reduction none, which makes a list: call select()");
  const Verdict* const verdict = mutator().verdict(info());
  return verdict == nullptr ? mutator().on_forward_input_choice(*this, inputs)
                            : joined(*verdict, inputs);
}

std::vector<at::Tensor> InputChoiceImpl::select(at::TensorList inputs) {
  check(inputs);
  const Verdict* const verdict = mutator().verdict(info());
  return verdict == nullptr ? mutator().on_select_inputs(*this, inputs)
                            : selected_by(*verdict, inputs);
}

at::Tensor InputChoiceImpl::joined(const Verdict& verdict, at::TensorList inputs) const {
  const std::vector<at::Tensor> selected = selected_by(verdict, inputs);
  const std::optional<int64_t> n_chosen = info().n_chosen;
  TORCH_CHECK(reduction_ != Reduction::Concat || !n_chosen ||
                  static_cast<int64_t>(selected.size()) == *n_chosen,
              "input choice '", info().label, "' concatenates ", n_chosen.value_or(0),
              " inputs, but its mutator blends ", selected.size(),
              ": use an algorithm that samples paths");
  if (!selected.empty()) {
    return reduce(reduction_, selected);
  }
  const auto* const like = std::find_if(inputs.begin(), inputs.end(),
                                        [](const at::Tensor& input) { return input.defined(); });
  TORCH_CHECK(like != inputs.end(), "input choice '", info().label,
              "' has chosen nothing, and no input is given to make zeros like");
  return like->new_zeros(like->sizes());
}

std::vector<at::Tensor> InputChoiceImpl::ordered(
    const std::map<std::string, at::Tensor>& inputs) const {
  const std::vector<std::string>& names = info().names;
  for (const auto& [name, input] : inputs) {
    TORCH_CHECK(std::find(names.begin(), names.end(), name) != names.end(), "input choice '",
                info().label, "' has no candidate '", name, "'", suggestion(name, names));
  }
  std::vector<at::Tensor> result;
  for (const std::string& name : names) {
    const auto found = inputs.find(name);
    TORCH_CHECK(found != inputs.end(), "input choice '", info().label,
                "' expected a tensor for its candidate '", name,
                "': give an undefined one where it is not chosen");
    result.push_back(found->second);
  }
  return result;
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
