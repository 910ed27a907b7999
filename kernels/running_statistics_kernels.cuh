#pragma once

#include <cstdint>

#include "retia/kernels/body.h"

namespace retia::kernels::cuda {

/// Moves running means and variances towards the moments of a batch; one thread per channel of a
/// normalisation. batch: count, mean and sum of squares about the mean, [normalisations, 3, c].
template <class S>
struct MoveRunning {
  static constexpr int kMost = 16;  ///< largest number of normalisations of one pass

  int c;
  const S* batch;
  S momentum;
  S* means[kMost];
  S* variances[kMost];

  RETIA_BODY void operator()(int i) const {
    const int channel = i % c, member = i / c;
    const S* const mine = batch + int64_t{member} * 3 * c + channel;
    S& mean = means[member][channel];
    S& variance = variances[member][channel];
    mean += momentum * (mine[c] - mean);
    variance += momentum * (mine[2 * c] / (mine[0] - S(1)) - variance);
  }
};

}  // namespace retia::kernels::cuda
