#pragma once

#include <cmath>
#include <cstdint>
#include <map>

namespace retia {

/// How far `counts` stray from equal ones, in standard deviations of the chi-square statistic of
/// `n_outcomes` equally likely outcomes: above 5 only once in a million runs.
template <class Outcome>
double strangeness(const std::map<Outcome, int64_t>& counts, int64_t n_outcomes) {
  double n = 0;
  for (const auto& [outcome, count] : counts) {
    n += static_cast<double>(count);
  }
  const double expected = n / static_cast<double>(n_outcomes);
  const auto n_missing = static_cast<double>(n_outcomes) - static_cast<double>(counts.size());
  double sum = n_missing * expected;
  for (const auto& [outcome, count] : counts) {
    sum += std::pow(static_cast<double>(count) - expected, 2) / expected;
  }
  const auto freedom = static_cast<double>(n_outcomes - 1);
  return (sum - freedom) / std::sqrt(2 * freedom);
}

}  // namespace retia
