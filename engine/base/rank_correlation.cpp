#include "retia/engine/base/rank_correlation.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "retia/engine/base/random.h"

namespace retia {
namespace {

int sign(double value) { return (value > 0) - (value < 0); }

/// Returns ranks counted from 1; ties share their mean rank.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0; begin < order.size();) {
    size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) {
      ++end;
    }
    for (size_t i = begin; i < end; ++i) {
      ranks[order[i]] = static_cast<double>(begin + end + 1) / 2;
    }
    begin = end;
  }
  return ranks;
}

void check_equally_long(const std::vector<double>& x, const std::vector<double>& y) {
  TORCH_CHECK(x.size() == y.size(), "expected two equally long lists, got ", x.size(), " and ",
              y.size());
}

}  // namespace

double kendall_tau(const std::vector<double>& x, const std::vector<double>& y) {
  check_equally_long(x, y);
  int64_t difference = 0, untied_x = 0, untied_y = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const int64_t of_x = sign(x[i] - x[j]), of_y = sign(y[i] - y[j]);
      difference += of_x * of_y;
      untied_x += of_x * of_x;
      untied_y += of_y * of_y;
    }
  }
  return static_cast<double>(difference) /
         std::sqrt(static_cast<double>(untied_x) * static_cast<double>(untied_y));
}

double spearman_rho(const std::vector<double>& x, const std::vector<double>& y) {
  check_equally_long(x, y);
  const std::vector<double> a = ranks(x), b = ranks(y);
  const double mean = (static_cast<double>(x.size()) + 1) / 2;
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    ab += (a[i] - mean) * (b[i] - mean);
    aa += (a[i] - mean) * (a[i] - mean);
    bb += (b[i] - mean) * (b[i] - mean);
  }
  return ab / std::sqrt(aa * bb);
}

Interval bootstrap(
    const std::function<double(const std::vector<double>&, const std::vector<double>&)>& statistic,
    const std::vector<double>& x, const std::vector<double>& y, uint64_t seed, int64_t resamples) {
  check_equally_long(x, y);
  Random random(seed);
  std::vector<double> drawn;
  std::vector<double> a(x.size()), b(x.size());
  for (int64_t draw = 0; draw < resamples && !x.empty(); ++draw) {
    for (size_t i = 0; i < x.size(); ++i) {
      const auto k = static_cast<size_t>(random.below(static_cast<int64_t>(x.size())));
      a[i] = x[k];
      b[i] = y[k];
    }
    const double value = statistic(a, b);
    if (!std::isnan(value)) {
      drawn.push_back(value);
    }
  }
  std::sort(drawn.begin(), drawn.end());
  const auto quantile = [&](double part) {
    return drawn.empty() ? std::numeric_limits<double>::quiet_NaN()
                         : drawn[std::lround(part * static_cast<double>(drawn.size() - 1))];
  };
  return {statistic(x, y), quantile(0.025), quantile(0.975)};
}

}  // namespace retia
