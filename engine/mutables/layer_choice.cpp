#include "retia/engine/mutables/layer_choice.h"

#include "retia/engine/mutables/base_mutator.h"
#include "retia/engine/mutables/gated.h"

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
  const Verdict* const verdict = mutator().verdict(info());
  if (verdict == nullptr) {
    return mutator().on_forward_layer_choice(*this, inputs);
  }
  return verdict->gates.defined() ? gated_path(*verdict, inputs) : blended(*verdict, inputs);
}

at::Tensor LayerChoiceImpl::blended(const Verdict& verdict, at::TensorList inputs) const {
  const std::vector<int64_t>& chosen = verdict.chosen;
  at::Tensor sum;
  for (size_t k = 0; k < chosen.size(); ++k) {
    if (chosen.size() > 1 && always_zero(chosen[k])) {
      continue;
    }
    const at::Tensor output = run_candidate(chosen[k], inputs);
    if (verdict.scalars.empty()) {
      sum = sum.defined() ? sum + output : output;
    } else if (sum.defined()) {  // by a product of this function, which nobody else reads
      sum.add_(output * verdict.scalars[k]);
    } else {
      sum = output * verdict.scalars[k];
    }
  }
  return sum.defined() ? sum : run_candidate(chosen.front(), inputs);
}

at::Tensor LayerChoiceImpl::gated_path(const Verdict& verdict, at::TensorList inputs) {
  std::vector<at::Tensor> x;
  for (const at::Tensor& input : inputs) {
    x.push_back(input.detach());
  }
  const int64_t open = verdict.chosen.front();
  const auto run = [this, self = shared_from_this(), x](int64_t k) { return run_candidate(k, x); };
  return gated(run_candidate(open, inputs), open, verdict.gates, run);
}

at::Tensor LayerChoiceImpl::run_candidate(int64_t index, at::TensorList inputs) const {
  return candidates_.at(static_cast<size_t>(index)).run(inputs);
}

bool LayerChoiceImpl::always_zero(int64_t index) const {
  return candidates_.at(static_cast<size_t>(index)).always_zero;
}

}  // namespace retia
