#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace retia {

/// Returns Kendall's tau-b of two lists of equal length: (concordant pairs - discordant pairs)
/// divided by the geometric mean of the numbers of pairs not tied in `x` and not tied in `y`
/// (Kendall 1945). In [-1, 1]; NaN where one list is constant.
double kendall_tau(const std::vector<double>& x, const std::vector<double>& y);

/// Returns Spearman's rho: the correlation of the ranks, where ties share their mean rank. In [-1,
/// 1]; NaN where one list is constant.
double spearman_rho(const std::vector<double>& x, const std::vector<double>& y);

/// An estimate with a 95 % interval.
struct Interval {
  double value = 0, low = 0, high = 0;
};

/// Estimates `statistic` of `x` and `y` with the percentile bootstrap (Efron 1979): the value
/// itself, and as bounds the 2.5 % and 97.5 % quantiles over `resamples` draws of pairs with
/// replacement. Draws where the statistic is NaN are left out; the bounds are NaN where all are.
Interval bootstrap(
    const std::function<double(const std::vector<double>&, const std::vector<double>&)>& statistic,
    const std::vector<double>& x, const std::vector<double>& y, uint64_t seed,
    int64_t resamples = 2000);

}  // namespace retia
