#include "retia/engine/mutables/base_mutator.h"

#include <algorithm>

#include "retia/engine/base/suggest.h"
#include "retia/engine/mutables/input_choice.h"
#include "retia/engine/mutables/layer_choice.h"

namespace retia {
namespace {

/// The names that a key of an input choice may use: paths of modules and labels of choices met so
/// far → the label of the layer choice, or "" for anything else.
using Met = std::map<std::string, std::string>;

/// Throws unless each key of `choice` names something met; notes which layer choices they are.
void check_keys(const InputChoiceImpl& choice, const Met& met, Mutable& info) {
  for (size_t k = 0; k < choice.choose_from().size(); ++k) {
    const std::string& key = choice.choose_from()[k];
    const auto found = met.find(key);
    if (key.empty()) {
      continue;
    }
    if (found == met.end()) {
      std::vector<std::string> known;
      for (const auto& [name, label] : met) {
        known.push_back(name);
      }
      TORCH_CHECK(false, "input choice '", info.label, "': the key '", key,
                  "' names no choice or module before it", suggestion(key, known));
    }
    info.fed_by[k] = info.fed_by[k].empty() ? found->second : info.fed_by[k];
  }
}

}  // namespace

BaseMutator::BaseMutator(const torch::nn::Module& model) {
  Met met;
  for (const auto& item : model.named_modules("", /*include_self=*/true)) {
    const auto choice = std::dynamic_pointer_cast<MutableModule>(item.value());
    const bool bound_already =
        std::any_of(bound_.begin(), bound_.end(),
                    [&](const Binding& binding) { return binding.choice == choice; });
    std::string path = item.key();
    std::replace(path.begin(), path.end(), '.', '/');
    if (!choice || bound_already) {
      met.emplace(path, "");
      continue;
    }
    TORCH_CHECK(choice->mutator_ == nullptr, to_string(choice->info_.kind), " '", path,
                "' is driven by another mutator already: destroy that one first");
    Mutable info = choice->info_;
    if (info.label.empty()) {
      info.label = path;
    }
    info.scope = scope_of(path);
    if (const auto inputs = std::dynamic_pointer_cast<InputChoiceImpl>(choice)) {
      check_keys(*inputs, met, info);
    }
    met[path] = met[info.label] = info.kind == MutableKind::LayerChoice ? info.label : "";
    add_mutable(mutables_, info);
    bound_.push_back({choice, std::move(info)});
  }
  for (auto& [choice, info] : bound_) {
    std::swap(choice->info_, info);
    choice->mutator_ = this;
  }
  for (size_t i = 0; i < mutables_.size(); ++i) {
    positions_[mutables_[i].label] = i;
  }
}

BaseMutator::~BaseMutator() {
  for (auto& [choice, info] : bound_) {
    choice->info_ = std::move(info);
    choice->mutator_ = nullptr;
  }
}

const Mutable& BaseMutator::mutable_of(const std::string& label) const {
  const auto found = positions_.find(label);
  if (found == positions_.end()) {
    std::vector<std::string> labels;
    for (const Mutable& choice : mutables_) {
      labels.push_back(choice.label);
    }
    TORCH_CHECK(false, "the model has no choice labelled '", label, "'", suggestion(label, labels));
  }
  return mutables_[found->second];
}

const Verdict* BaseMutator::verdict(const Mutable&) { return nullptr; }

at::Tensor BaseMutator::on_forward_layer_choice(LayerChoiceImpl& choice, at::TensorList) {
  TORCH_CHECK(false, "the mutator of layer choice '", choice.info().label,
              "' neither tells what it does nor runs it: override verdict or "
              "on_forward_layer_choice");
}

at::Tensor BaseMutator::on_forward_input_choice(InputChoiceImpl& choice, at::TensorList) {
  TORCH_CHECK(false, "the mutator of input choice '", choice.info().label,
              "' neither tells what it does nor runs it: override verdict or "
              "on_forward_input_choice");
}

std::vector<at::Tensor> BaseMutator::on_select_inputs(InputChoiceImpl& choice, at::TensorList) {
  TORCH_CHECK(false, "input choice '", choice.info().label,
              "' has reduction none, which its mutator does not support: override "
              "on_select_inputs");
}

}  // namespace retia
