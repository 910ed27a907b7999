#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace retia {

/// Kendall's tau-b of two equally long lists: (concordant - discordant pairs), over the geometric
/// mean of the pairs that are no ties in either (Kendall 1945). -1 to 1; NaN where one is constant.
double kendall_tau(const std::vector<double>& x, const std::vector<double>& y);

/// Spearman's rho: the correlation of the ranks, ties sharing their mean rank. -1 to 1; NaN where
/// one list is constant.
double spearman_rho(const std::vector<double>& x, const std::vector<double>& y);

/// An estimate with a 95 % interval.
struct Interval {
  double value = 0, low = 0, high = 0;
};

/// The percentile bootstrap (Efron 1979): `statistic` of `x` and `y`, and the 2.5 % and 97.5 %
/// quantiles of it over `resamples` draws of pairs with replacement. Draws where it is NaN are left
/// out; NaN bounds where all are.
Interval bootstrap(
    const std::function<double(const std::vector<double>&, const std::vector<double>&)>& statistic,
    const std::vector<double>& x, const std::vector<double>& y, uint64_t seed,
    int64_t resamples = 2000);

}  // namespace retia
