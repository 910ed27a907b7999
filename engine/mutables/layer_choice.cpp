#include "retia/engine/mutables/layer_choice.h"

#include "retia/engine/base_mutator.h"

namespace retia {
namespace {

Mutable describe(const std::vector<NamedCandidate>& candidates, std::string label) {
  TORCH_CHECK(!candidates.empty(), "a layer choice needs at least one candidate");
  Mutable info{.label = std::move(label), .kind = MutableKind::LayerChoice};
  for (const NamedCandidate& candidate : candidates) {
    if (candidate.always_zero) {
      info.zeros.push_back(info.n_candidates());
    }
    info.names.push_back(candidate.name);
  }
  return info;
}

}  // namespace

LayerChoiceImpl::LayerChoiceImpl(std::vector<NamedCandidate> candidates, std::string label)
    : MutableModule(describe(candidates, std::move(label))), candidates_(std::move(candidates)) {
  for (const NamedCandidate& candidate : candidates_) {
    if (candidate.module) {
      register_module(candidate.name, candidate.module);
    }
  }
}

at::Tensor LayerChoiceImpl::forward(at::TensorList inputs) {
  return mutator().on_forward_layer_choice(*this, inputs);
}

at::Tensor LayerChoiceImpl::run(int64_t index, at::TensorList inputs) const {
  return candidates_.at(static_cast<size_t>(index)).run(inputs);
}

bool LayerChoiceImpl::always_zero(int64_t index) const {
  return candidates_.at(static_cast<size_t>(index)).always_zero;
}

}  // namespace retia
