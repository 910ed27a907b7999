#include "retia/engine/experiment/median_stop.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace retia {
namespace {

double median(const std::vector<double>& ascending) {
  const size_t n = ascending.size();
  return ascending[(n - 1) / 2] / 2 + ascending[n / 2] / 2;
}

}  // namespace

MedianStop::MedianStop(Direction direction, const MedianStopOptions& options)
    : direction_(direction), options_(options) {
  TORCH_CHECK(options.min_trials >= 1 && options.min_epochs >= 1,
              "median stop: min_trials and min_epochs must be at least 1, got ", options.min_trials,
              " and ", options.min_epochs);
}

void MedianStop::add(const std::vector<double>& intermediate) {
  averages_.resize(std::max(averages_.size(), intermediate.size()));
  double sum = 0;
  int64_t n = 0;
  for (size_t e = 0; e < intermediate.size(); ++e) {
    if (!std::isnan(intermediate[e])) {
      sum += intermediate[e];
      ++n;
    }
    TORCH_CHECK(std::isfinite(sum), "the objective became ", intermediate[e], " in epoch ", e + 1);
    if (n == 0) {
      continue;
    }
    const double average = sum / static_cast<double>(n);
    std::vector<double>& all = averages_[e];
    all.insert(std::upper_bound(all.begin(), all.end(), average), average);
  }
}

std::vector<double> MedianStop::floors() const {
  const double anything = gain(direction_, std::numeric_limits<double>::lowest());
  std::vector<double> floors;
  for (size_t e = 0; e < averages_.size(); ++e) {
    const std::vector<double>& all = averages_[e];
    const bool binds = static_cast<int64_t>(all.size()) >= options_.min_trials &&
                       static_cast<int64_t>(e) + 1 >= options_.min_epochs;
    floors.push_back(binds ? median(all) : anything);
  }
  return floors;
}

}  // namespace retia
