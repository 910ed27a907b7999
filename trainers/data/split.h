#pragma once

#include <cstdint>
#include <vector>

#include "retia/trainers/data/dataset.h"

namespace retia {

/// The parts of the training samples: indices, ascending, each in one of them.
struct Split {
  std::vector<int64_t> train;  ///< samples that train weights
  std::vector<int64_t> valid;  ///< samples held out, by which models and weights are chosen
};

/// Returns `n` indices of samples, ascending, drawn at random. Where samples have classes the draw is
/// stratified: the numbers of samples of each class are in proportion to the class, by largest
/// remainder, except that a class of several samples is neither left out nor taken whole while
/// others can give way. Depends on the classes, `n` and `seed` only. 0 ≤ n ≤ set.size().
std::vector<int64_t> drawn_samples(const Dataset& set, int64_t n, uint64_t seed);

/// Holds out `valid_fraction` of the samples (rounded) by drawn_samples. Every command that chooses
/// by held-out samples splits by this function, so that equal data, fractions and seeds give equal
/// parts. 0 ≤ valid_fraction ≤ 1.
Split split_of(const Dataset& set, double valid_fraction, uint64_t seed);

/// Returns the ascending indices 0 … n-1 that `indices`, ascending, lack.
std::vector<int64_t> all_but(const std::vector<int64_t>& indices, int64_t n);

}  // namespace retia
