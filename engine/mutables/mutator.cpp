#include "retia/engine/mutables/mutator.h"

namespace retia {
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

const Verdict* Mutator::verdict(const Mutable& choice) {
  const auto found = verdicts_.find(choice.label);
  if (found != verdicts_.end() && forward_depth_ > 0) {
    return &found->second;
  }
  return &(verdicts_[choice.label] = make_verdict(choice.label));
}

void Mutator::begin_forward() {
  if (forward_depth_++ == 0) {
    verdicts_.clear();
  }
}

void Mutator::end_forward() {
  if (--forward_depth_ == 0) {
    verdicts_.clear();
  }
}

Verdict Mutator::make_verdict(const std::string& label) const {
  const Mutable& choice = mutable_of(label);
  Verdict verdict{
      .chosen = current().at(label).chosen, .weights = weights(choice), .gates = gates(choice)};
  const at::Tensor& blend = verdict.weights;
  if (blend.defined()) {
    const auto n_chosen = static_cast<int64_t>(verdict.chosen.size());
    TORCH_CHECK(blend.dim() == 1 && blend.size(0) == n_chosen, "weights of '", label,
                "': expected [", n_chosen, "], one per chosen candidate, got ", blend.sizes());
    verdict.scalars = blend.unbind(0);
  }
  TORCH_CHECK(!verdict.gates.defined() ||
                  (verdict.gates.dim() == 1 && verdict.gates.size(0) == choice.n_candidates() &&
                   verdict.chosen.size() == 1 && !blend.defined()),
              "gates of '", label, "': expected [", choice.n_candidates(),
              "], one per candidate, where one is chosen and nothing blended, got ",
              verdict.gates.sizes());
  return verdict;
}

}  // namespace retia
