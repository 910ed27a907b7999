#include "engine/mutator.h"

#include <algorithm>

#include "engine/mutables/input_choice.h"
#include "engine/mutables/layer_choice.h"

namespace retia {

void Mutator::reset() { apply(sample_search()); }

void Mutator::apply(const Architecture& architecture) {
  check_architecture(architecture, mutables(), Purpose::Search);
  current_ = architecture;
}

const Architecture& Mutator::current() const {
  TORCH_CHECK(current_.size() == mutables().size(),
              "the mutator has decided nothing yet: call reset() or apply() before the model runs");
  return current_;
}

Architecture Mutator::export_architecture() const {
  Architecture architecture = sample_final();
  check_architecture(architecture, mutables(), Purpose::Final);
  return architecture;
}

at::Tensor Mutator::weights(const Mutable&) const { return {}; }

at::Tensor Mutator::on_forward_layer_choice(LayerChoiceImpl& choice, at::TensorList inputs) {
  const std::vector<int64_t>& chosen = current().at(choice.info().label).chosen;
  const std::vector<at::Tensor> weights = blend_weights(choice.info(), chosen.size());
  at::Tensor sum;
  for (size_t k = 0; k < chosen.size(); ++k) {
    if (chosen.size() > 1 && choice.always_zero(chosen[k])) {
      continue;
    }
    const at::Tensor output = choice.run(chosen[k], inputs);
    if (weights.empty()) {
      sum = sum.defined() ? sum + output : output;
    } else if (sum.defined()) {
      sum.add_(output * weights[k]);  // sum is a product of this function: nobody else reads it
    } else {
      sum = output * weights[k];
    }
  }
  return sum.defined() ? sum : choice.run(chosen.front(), inputs);
}

std::vector<at::Tensor> Mutator::on_select_inputs(InputChoiceImpl& choice, at::TensorList inputs) {
  const std::vector<int64_t>& chosen = current().at(choice.info().label).chosen;
  const std::vector<at::Tensor> weights = blend_weights(choice.info(), chosen.size());
  std::vector<at::Tensor> selected;
  for (size_t k = 0; k < chosen.size(); ++k) {
    const at::Tensor& input = inputs[static_cast<size_t>(chosen[k])];
    selected.push_back(weights.empty() ? input : input * weights[k]);
  }
  return selected;
}

at::Tensor Mutator::on_forward_input_choice(InputChoiceImpl& choice, at::TensorList inputs) {
  const std::vector<at::Tensor> selected = on_select_inputs(choice, inputs);
  TORCH_CHECK(choice.reduction() != Reduction::Concat ||
                  static_cast<int64_t>(selected.size()) == choice.info().n_chosen,
              "input choice '", choice.info().label, "' concatenates ", *choice.info().n_chosen,
              " inputs, but its mutator blends ", selected.size(),
              ": use an algorithm that samples paths");
  if (!selected.empty()) {
    return reduce(choice.reduction(), selected);
  }
  const auto* const like = std::find_if(inputs.begin(), inputs.end(),
                                        [](const at::Tensor& input) { return input.defined(); });
  TORCH_CHECK(like != inputs.end(), "input choice '", choice.info().label,
              "' has chosen nothing, and no input is given to make zeros like");
  return like->new_zeros(like->sizes());
}

const Decision* Mutator::needed(const std::string& label) const { return &current().at(label); }

void Mutator::begin_forward() {
  if (forward_depth_++ == 0) {
    weights_of_pass_.clear();
  }
}

void Mutator::end_forward() {
  if (--forward_depth_ == 0) {
    weights_of_pass_.clear();
  }
}

std::vector<at::Tensor> Mutator::blend_weights(const Mutable& choice, size_t n_chosen) {
  const auto found = weights_of_pass_.find(choice.label);
  if (found != weights_of_pass_.end()) {
    return found->second;
  }
  std::vector<at::Tensor> split;
  const at::Tensor blend = weights(choice);
  if (blend.defined()) {
    TORCH_CHECK(blend.dim() == 1 && blend.size(0) == static_cast<int64_t>(n_chosen), "weights of '",
                choice.label, "': expected [", n_chosen, "], one per chosen candidate, got ",
                blend.sizes());
    split = blend.unbind(0);
  }
  if (forward_depth_ > 0) {
    weights_of_pass_[choice.label] = split;
  }
  return split;
}

}  // namespace retia
