#pragma once

#include <cmath>
#include <cstdint>
#include <map>

namespace retia {

/// How far `counts` stray from what outcomes of these probabilities (together 1) would give, in
/// standard deviations of the chi-square statistic: above 5 only once in a million runs.
template <class Outcome>
double strangeness(const std::map<Outcome, int64_t>& counts,
                   const std::map<Outcome, double>& probabilities) {
  double n = 0;
  double n_unexpected = 0;
  for (const auto& [outcome, count] : counts) {
    n += static_cast<double>(count);
    n_unexpected += probabilities.count(outcome) == 0 ? static_cast<double>(count) : 0;
  }
  double sum = n_unexpected * n;
  for (const auto& [outcome, probability] : probabilities) {
    const auto found = counts.find(outcome);
    const double count = found == counts.end() ? 0 : static_cast<double>(found->second);
    sum += std::pow(count - n * probability, 2) / (n * probability);
  }
  const double freedom = static_cast<double>(probabilities.size()) - 1;
  return (sum - freedom) / std::sqrt(2 * freedom);
}

/// The same for `n_outcomes` equally likely outcomes.
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
