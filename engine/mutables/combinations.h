#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "retia/engine/mutables/mutable.h"

namespace retia {

/// Returns the number of sets of `k` of `n`; none where it exceeds `limit`.
std::optional<int64_t> n_sets(int64_t k, int64_t n, int64_t limit);

/// Returns {0 … k-1}, the first set of `k` in lexicographic order.
std::vector<int64_t> first_set(int64_t k);

/// Moves `chosen`, ascending indices below `n`, to the next set of its size in lexicographic order.
/// Returns false, and changes nothing, where `chosen` is the last set.
bool next_set(std::vector<int64_t>& chosen, int64_t n);

/// Returns the number of sets of the size of `chosen` that precede it in lexicographic order. The
/// number of all of them must not exceed 2^62.
int64_t rank_of(const std::vector<int64_t>& chosen, int64_t n);

/// Returns the set of `k` of `n` of the given rank (the inverse of rank_of).
std::vector<int64_t> set_at(int64_t rank, int64_t k, int64_t n);

/// Returns the number of joint decisions of `mutables`; none where it exceeds `limit`.
std::optional<int64_t> n_combinations(const std::vector<Mutable>& mutables, int64_t limit);

}  // namespace retia
