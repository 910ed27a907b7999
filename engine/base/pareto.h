#pragma once

#include <cstddef>
#include <vector>

namespace retia {

/// The objectives of one point; larger is better for each.
using Objectives = std::vector<double>;

/// Returns whether `a` dominates `b`: in no objective worse, in at least one better. Both have the
/// same length.
bool dominates(const Objectives& a, const Objectives& b);

/// Returns the indices of the points that no other point dominates, ascending. Equal points are all
/// included.
std::vector<size_t> pareto_front(const std::vector<Objectives>& points);

/// Sorts the points into fronts: the first is the Pareto front, the second the Pareto front of the
/// remaining points, and so on (Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm:
/// NSGA-II", 2002). Indices are ascending in each front.
std::vector<std::vector<size_t>> non_dominated_sort(const std::vector<Objectives>& points);

/// Returns the crowding distance of each point of a front (Deb et al. 2002): for each objective,
/// the difference between the point's two neighbours in that objective's order, divided by the
/// front's range; summed over objectives. Infinite at both ends of an order.
std::vector<double> crowding_distances(const std::vector<Objectives>& front);

}  // namespace retia
