#include "retia/mutators/darts.h"

#include <ATen/ops/softmax.h>

namespace retia {

Architecture DartsMutator::sample_search() {
  Architecture all;
  for (const Mutable& choice : mutables()) {
    all[choice.label] = everything(choice);
  }
  return all;
}

at::Tensor DartsMutator::weights(const Mutable& choice) const {
  const auto n_chosen = static_cast<int64_t>(current().at(choice.label).chosen.size());
  const bool blends = has_alpha(choice.label) && n_chosen == choice.n_candidates();
  return blends ? alpha(choice.label).softmax(0) : at::Tensor();
}

}  // namespace retia
