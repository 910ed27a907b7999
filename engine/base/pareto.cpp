#include "retia/engine/base/pareto.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace retia {

bool dominates(const Objectives& a, const Objectives& b) {
  bool better = false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] < b[i]) {
      return false;
    }
    better = better || a[i] > b[i];
  }
  return better;
}

std::vector<size_t> pareto_front(const std::vector<Objectives>& points) {
  std::vector<size_t> front;
  for (size_t i = 0; i < points.size(); ++i) {
    const auto beats = [&](size_t other) { return dominates(points[other], points[i]); };
    if (std::none_of(front.begin(), front.end(), beats)) {
      front.erase(std::remove_if(front.begin(), front.end(),
                                 [&](size_t old) { return dominates(points[i], points[old]); }),
                  front.end());
      front.push_back(i);
    }
  }
  return front;
}

std::vector<std::vector<size_t>> non_dominated_sort(const std::vector<Objectives>& points) {
  std::vector<size_t> n_above(points.size());
  std::vector<std::vector<size_t>> below(points.size());
  for (size_t a = 0; a < points.size(); ++a) {
    for (size_t b = 0; b < points.size(); ++b) {
      if (dominates(points[a], points[b])) {
        below[a].push_back(b);
        ++n_above[b];
      }
    }
  }
  std::vector<std::vector<size_t>> fronts;
  std::vector<size_t> front;
  for (size_t i = 0; i < points.size(); ++i) {
    if (n_above[i] == 0) {
      front.push_back(i);
    }
  }
  while (!front.empty()) {
    std::vector<size_t> next;
    for (const size_t a : front) {
      for (const size_t b : below[a]) {
        if (--n_above[b] == 0) {
          next.push_back(b);
        }
      }
    }
    std::sort(next.begin(), next.end());
    fronts.push_back(std::move(front));
    front = std::move(next);
  }
  return fronts;
}

std::vector<double> crowding_distances(const std::vector<Objectives>& front) {
  std::vector<double> distances(front.size());
  std::vector<size_t> order(front.size());
  std::iota(order.begin(), order.end(), 0);
  for (size_t m = 0; !front.empty() && m < front.front().size(); ++m) {
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return front[a][m] < front[b][m]; });
    const double range = front[order.back()][m] - front[order.front()][m];
    distances[order.front()] = distances[order.back()] = std::numeric_limits<double>::infinity();
    for (size_t i = 1; i + 1 < order.size() && range > 0; ++i) {
      distances[order[i]] += (front[order[i + 1]][m] - front[order[i - 1]][m]) / range;
    }
  }
  return distances;
}

}  // namespace retia
