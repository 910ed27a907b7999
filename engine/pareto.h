#pragma once

#include <cstddef>
#include <vector>

namespace retia {

/// One number per objective; more is better, for each.
using Objectives = std::vector<double>;

/// Whether `a` is nowhere worse than `b`, and better somewhere. Of equal lengths.
bool dominates(const Objectives& a, const Objectives& b);

/// Indices of the points that no other dominates, ascending; equal ones all.
std::vector<size_t> pareto_front(const std::vector<Objectives>& points);

/// The points in fronts: the first is the Pareto front, the next that of the rest, and so on (Deb
/// et al., "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II", 2002). Each ascending.
std::vector<std::vector<size_t>> non_dominated_sort(const std::vector<Objectives>& points);

/// How far apart the neighbours of each point of a front are, along it (the same): for each
/// objective the difference of the two next to it in its order, in parts of the front's range,
/// summed; infinite at both ends.
std::vector<double> crowding_distances(const std::vector<Objectives>& front);

}  // namespace retia
