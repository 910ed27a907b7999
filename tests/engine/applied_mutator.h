#pragma once

#include <vector>

#include "retia/engine/base/random.h"
#include "retia/engine/mutables/mutator.h"

namespace retia {

/// One uniform decision for each of `mutables`.
inline Architecture random_architecture_of(const std::vector<Mutable>& mutables, Random& random) {
  Architecture architecture;
  for (const Mutable& choice : mutables) {
    const int64_t n = choice.n_candidates();
    architecture[choice.label].chosen =
        random.choose(choice.n_chosen.value_or(random.below(n + 1)), n);
  }
  return architecture;
}

/// Does what apply() says.
class AppliedMutator final : public Mutator {
 public:
  using Mutator::Mutator;
  Architecture sample_search() override { return current(); }
  Architecture sample_final() const override { return current(); }
};

}  // namespace retia
