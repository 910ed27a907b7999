#include "retia/engine/mutables/combinations.h"

#include <algorithm>
#include <numeric>

namespace retia {
namespace {

constexpr int64_t kBits = 63;  // of a number that is not negative
constexpr int64_t kMostRanked = int64_t{1} << 62;

/// Returns the number of sets that begin like a set of `k` of `n` whose first index is `first`.
int64_t n_beginning_with(int64_t first, int64_t k, int64_t n) {
  return n_sets(k - 1, n - first - 1, kMostRanked).value();
}

}  // namespace

std::optional<int64_t> n_sets(int64_t k, int64_t n, int64_t limit) {
  int64_t count = k <= n ? 1 : 0;
  for (int64_t i = 1; i <= std::min(k, n - k); ++i) {
    // count * (n - i + 1) / i, without an overflow in between
    const int64_t common = std::gcd(count, i);
    const int64_t factor = (n - i + 1) / (i / common);
    if (count / common > limit / factor) {
      return std::nullopt;
    }
    count = count / common * factor;
  }
  return count <= limit ? std::optional(count) : std::nullopt;
}

std::vector<int64_t> first_set(int64_t k) {
  std::vector<int64_t> chosen(static_cast<size_t>(k));
  std::iota(chosen.begin(), chosen.end(), 0);
  return chosen;
}

bool next_set(std::vector<int64_t>& chosen, int64_t n) {
  const auto k = static_cast<int64_t>(chosen.size());
  for (int64_t i = k - 1; i >= 0; --i) {
    const int64_t index = chosen[static_cast<size_t>(i)];
    if (index < n - (k - i)) {
      std::iota(chosen.begin() + i, chosen.end(), index + 1);
      return true;
    }
  }
  return false;
}

int64_t rank_of(const std::vector<int64_t>& chosen, int64_t n) {
  auto left = static_cast<int64_t>(chosen.size());
  int64_t rank = 0, next = 0;
  for (const int64_t index : chosen) {
    for (; next < index; ++next) {
      rank += n_beginning_with(next, left, n);
    }
    ++next;
    --left;
  }
  return rank;
}

std::vector<int64_t> set_at(int64_t rank, int64_t k, int64_t n) {
  std::vector<int64_t> chosen;
  for (int64_t next = 0; k > 0; ++next) {
    const int64_t with_next = n_beginning_with(next, k, n);
    if (rank < with_next) {
      chosen.push_back(next);
      --k;
    } else {
      rank -= with_next;
    }
  }
  return chosen;
}

std::optional<int64_t> n_combinations(const std::vector<Mutable>& mutables, int64_t limit) {
  int64_t product = 1;
  for (const Mutable& choice : mutables) {
    const int64_t n = choice.n_candidates();
    const std::optional<int64_t> decisions = choice.n_chosen ? n_sets(*choice.n_chosen, n, limit)
                                             : n < kBits     ? std::optional(int64_t{1} << n)
                                                             : std::nullopt;
    if (!decisions || product > limit / std::max<int64_t>(*decisions, 1)) {
      return std::nullopt;
    }
    product *= *decisions;
  }
  return product;
}

}  // namespace retia
