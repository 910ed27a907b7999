#include "mutators/strategies/factors.h"

#include <c10/util/Exception.h>

#include <algorithm>

namespace retia {
namespace {

constexpr int64_t kMostSets = 65536;

/// Sets of k of n; above kMostSets any number above it.
int64_t binomial(int64_t n, int64_t k) {
  int64_t result = 1;
  for (int64_t i = 1; i <= std::min(k, n - k); ++i) {
    result = result * (n - i + 1) / i;
    if (result > kMostSets) {
      return kMostSets + 1;
    }
  }
  return k > n ? 0 : result;
}

/// The place of an ascending set among those of its size, in lexicographic order.
int64_t rank_of(const std::vector<int64_t>& chosen, int64_t n) {
  const auto k = static_cast<int64_t>(chosen.size());
  int64_t rank = 0, next = 0;
  for (int64_t i = 0; i < k; ++i) {
    for (; next < chosen[static_cast<size_t>(i)]; ++next) {
      rank += binomial(n - next - 1, k - i - 1);
    }
    ++next;
  }
  return rank;
}

std::vector<int64_t> set_at(int64_t rank, int64_t n, int64_t k) {
  std::vector<int64_t> chosen;
  for (int64_t next = 0; static_cast<int64_t>(chosen.size()) < k; ++next) {
    const int64_t with_next = binomial(n - next - 1, k - static_cast<int64_t>(chosen.size()) - 1);
    if (rank < with_next) {
      chosen.push_back(next);
    } else {
      rank -= with_next;
    }
  }
  return chosen;
}

}  // namespace

Factors::Factors(const std::vector<Mutable>& mutables) : mutables_(mutables) {
  for (size_t i = 0; i < mutables.size(); ++i) {
    const Mutable& choice = mutables[i];
    if (choice.n_chosen) {
      const int64_t n_sets = binomial(choice.n_candidates(), *choice.n_chosen);
      TORCH_CHECK(n_sets <= kMostSets, "'", choice.label, "' has more than ", kMostSets,
                  " sets of ", *choice.n_chosen, " of ", choice.n_candidates(),
                  ": explore by strategy random or evolution");
      list_.push_back({i, -1, n_sets});
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
    return {set_at(categories[factor].value(), choice.n_candidates(), *choice.n_chosen)};
  }
  Decision any;
  for (int64_t k = 0; k < choice.n_candidates(); ++k) {
    if (categories[factor + static_cast<size_t>(k)] == 1) {
      any.chosen.push_back(k);
    }
  }
  return any;
}

std::optional<int64_t> Factors::n_combinations(int64_t limit) const {
  int64_t product = 1;
  for (const Factor& factor : list_) {
    if (product > limit / std::max<int64_t>(factor.n, 1)) {
      return std::nullopt;
    }
    product *= factor.n;
  }
  return product;
}

}  // namespace retia
