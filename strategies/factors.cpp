#include "retia/strategies/factors.h"

#include <c10/util/Exception.h>

#include <algorithm>

#include "retia/engine/mutables/combinations.h"

namespace retia {
namespace {

constexpr int64_t kMostSets = 65536;

}  // namespace

Factors::Factors(const std::vector<Mutable>& mutables) : mutables_(mutables) {
  for (size_t i = 0; i < mutables.size(); ++i) {
    const Mutable& choice = mutables[i];
    if (choice.n_chosen) {
      const auto count = n_sets(*choice.n_chosen, choice.n_candidates(), kMostSets);
      TORCH_CHECK(count.has_value(), "'", choice.label, "' has more than ", kMostSets, " sets of ",
                  *choice.n_chosen, " of ", choice.n_candidates(),
                  ": explore by strategy random or evolution");
      list_.push_back({i, -1, *count});
      continue;
    }
    for (int64_t k = 0; k < choice.n_candidates(); ++k) {
      list_.push_back({i, k, 2});
    }
  }
}

Categories Factors::categories(const Architecture& architecture) const {
  Categories found(list_.size());
  for (size_t f = 0; f < list_.size(); ++f) {
    const Mutable& choice = mutables_[list_[f].choice];
    if (!architecture.contains(choice.label)) {
      continue;
    }
    const std::vector<int64_t>& chosen = architecture.at(choice.label).chosen;
    found[f] = list_[f].candidate < 0
                   ? rank_of(chosen, choice.n_candidates())
                   : std::count(chosen.begin(), chosen.end(), list_[f].candidate);
  }
  return found;
}

Architecture Factors::architecture(const Categories& categories) const {
  Architecture made;
  for (size_t f = 0; f < list_.size(); ++f) {
    if (list_[f].candidate <= 0 && categories[f]) {
      made[mutables_[list_[f].choice].label] = decision(f, categories);
    }
  }
  return made;
}

Decision Factors::decision(size_t factor, const Categories& categories) const {
  const Mutable& choice = mutables_[list_[factor].choice];
  if (choice.n_chosen) {
    return {set_at(categories[factor].value(), *choice.n_chosen, choice.n_candidates())};
  }
  Decision any;
  for (int64_t k = 0; k < choice.n_candidates(); ++k) {
    if (categories[factor + static_cast<size_t>(k)] == 1) {
      any.chosen.push_back(k);
    }
  }
  return any;
}

}  // namespace retia
