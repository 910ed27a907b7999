#include "retia/engine/mutator.h"

#include <algorithm>

#include "retia/engine/mutables/gated.h"
#include "retia/engine/mutables/input_choice.h"
#include "retia/engine/mutables/layer_choice.h"

namespace retia {
namespace {

std::vector<at::Tensor> detached(at::TensorList tensors) {
  std::vector<at::Tensor> result;
  for (const at::Tensor& tensor : tensors) {
    result.push_back(tensor.detach());
  }
  return result;
}

}  // namespace

void Mutator::reset() { apply(sample_search()); }

void Mutator::apply(const Architecture& architecture) {
  check_architecture(architecture, mutables(), Purpose::Search);
  current_ = architecture;
}

const Architecture& Mutator::current() const {
  TORCH_CHECK(has_decided(),
              "the mutator has decided nothing yet: call reset() or apply() before the model runs");
  return current_;
}

Architecture Mutator::export_architecture() const {
  Architecture architecture = sample_final();
  check_architecture(architecture, mutables(), Purpose::Final);
  return architecture;
}

at::Tensor Mutator::weights(const Mutable&) const { return {}; }

at::Tensor Mutator::gates(const Mutable&) const { return {}; }

at::Tensor Mutator::on_forward_layer_choice(LayerChoiceImpl& choice, at::TensorList inputs) {
  const Ruling& rule = ruling(choice.info().label);
  const std::vector<int64_t>& chosen = rule.verdict.chosen;
  if (rule.gates.defined()) {
    const std::vector<at::Tensor> x = detached(inputs);
    const auto run = [&choice, self = choice.shared_from_this(), x](int64_t k) {
      return choice.run(k, x);
    };
    return gated(choice.run(chosen.front(), inputs), chosen.front(), rule.gates, run);
  }
  at::Tensor sum;
  for (size_t k = 0; k < chosen.size(); ++k) {
    if (chosen.size() > 1 && choice.always_zero(chosen[k])) {
      continue;
    }
    const at::Tensor output = choice.run(chosen[k], inputs);
    if (rule.weights.empty()) {
      sum = sum.defined() ? sum + output : output;
    } else if (sum.defined()) {
      sum.add_(output *
               rule.weights[k]);  // sum is a product of this function: nobody else reads it
    } else {
      sum = output * rule.weights[k];
    }
  }
  return sum.defined() ? sum : choice.run(chosen.front(), inputs);
}

std::vector<at::Tensor> Mutator::on_select_inputs(InputChoiceImpl& choice, at::TensorList inputs) {
  const Ruling& rule = ruling(choice.info().label);
  std::vector<at::Tensor> selected;
  for (size_t k = 0; k < rule.verdict.chosen.size(); ++k) {
    const at::Tensor& input = inputs[static_cast<size_t>(rule.verdict.chosen[k])];
    selected.push_back(rule.weights.empty() ? input : input * rule.weights[k]);
  }
  return selected;
}

at::Tensor Mutator::on_forward_input_choice(InputChoiceImpl& choice, at::TensorList inputs) {
  const std::vector<at::Tensor> selected = on_select_inputs(choice, inputs);
  const std::optional<int64_t> n_chosen = choice.info().n_chosen;
  TORCH_CHECK(choice.reduction() != Reduction::Concat || !n_chosen ||
                  static_cast<int64_t>(selected.size()) == *n_chosen,
              "input choice '", choice.info().label, "' concatenates ", n_chosen.value_or(0),
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

const Verdict* Mutator::verdict(const Mutable& choice) {
  const Ruling& rule = ruling(choice.label);
  return rule.gates.defined() ? nullptr : &rule.verdict;
}

void Mutator::begin_forward() {
  if (forward_depth_++ == 0) {
    rulings_.clear();
  }
}

void Mutator::end_forward() {
  if (--forward_depth_ == 0) {
    rulings_.clear();
  }
}

const Mutator::Ruling& Mutator::ruling(const std::string& label) {
  const auto found = rulings_.find(label);
  if (found != rulings_.end() && forward_depth_ > 0) {
    return found->second;
  }
  const Mutable& choice = mutable_of(label);
  Ruling rule{{current().at(label).chosen, weights(choice)}, {}, gates(choice)};
  const at::Tensor& blend = rule.verdict.weights;
  if (blend.defined()) {
    const auto n_chosen = static_cast<int64_t>(rule.verdict.chosen.size());
    TORCH_CHECK(blend.dim() == 1 && blend.size(0) == n_chosen, "weights of '", label,
                "': expected [", n_chosen, "], one per chosen candidate, got ", blend.sizes());
    rule.weights = blend.unbind(0);
  }
  TORCH_CHECK(!rule.gates.defined() ||
                  (rule.gates.dim() == 1 && rule.gates.size(0) == choice.n_candidates() &&
                   rule.verdict.chosen.size() == 1 && !blend.defined()),
              "gates of '", label, "': expected [", choice.n_candidates(),
              "], one per candidate, where one is chosen and nothing blended, got ",
              rule.gates.sizes());
  return rulings_[label] = std::move(rule);
}

}  // namespace retia
