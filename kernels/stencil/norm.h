#pragma once

// The statistics, factors and gradients of batch normalisation on the CPU.

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "retia/kernels/stencil/numbers.h"
#include "retia/kernels/sum_over_ranks.h"

namespace retia::kernels::cpu {

/// The moments of a batch: of each channel the mean and the sum of squares about the mean, and the
/// number of pixels.
template <class T>
struct BatchMoments {
  BatchMoments() = default;
  /// Makes the moments of no pixels of c channels.
  explicit BatchMoments(int64_t c) : mean(c), square(c) {}

  /// Adds n_pixels pixels by the formula of Chan et al. (1983). moments: of each channel a centre,
  /// the sum of distances from the centre, and the sum of squared distances, [3, c].
  void add(const T* moments, int64_t n_pixels, int64_t c) {
    // Copies, for the loop writes numbers that the compiler could take for members.
    const double before = count;
    const auto now = static_cast<double>(n_pixels);
    double* const means = mean.get();
    double* const squares = square.get();
    for (int64_t k = 0; k < c; ++k) {
      const double sum = moments[c + k];
      const double distance = moments[k] + sum / now - means[k];
      squares[k] += moments[2 * c + k] - sum * sum / now +
                    distance * distance * before * now / (before + now);
      means[k] += distance * now / (before + now);
    }
    count = before + now;
  }

  Numbers<double> mean, square;  ///< mean, sum of squares about the mean: [c]
  double count = 0;              ///< number of pixels
};

/// Replaces sums and count by their sums over all ranks, in one collective call. sums: arrays of n
/// numbers. count: the number of pixels that are summed.
inline void sum_over_ranks(const std::vector<Numbers<double>>& sums, int64_t n, double& count,
                           SumOverRanks& ranks) {
  const auto n_sums = static_cast<int64_t>(sums.size());
  const at::Tensor all = at::full({n_sums * n + 1}, count, at::kDouble);
  double* const numbers = all.mutable_data_ptr<double>();
  for (int64_t i = 0; i < n_sums; ++i) {
    std::copy_n(sums[static_cast<size_t>(i)].get(), n, numbers + i * n);
  }
  ranks.sum_statistics(all);
  for (int64_t i = 0; i < n_sums; ++i) {
    std::copy_n(numbers + i * n, n, sums[static_cast<size_t>(i)].get());
  }
  count = numbers[n_sums * n];
}

/// Replaces moments of this rank's batch, all of the same number of pixels, by the moments of all
/// ranks' batches together.
template <class T>
void join_over_ranks(std::vector<BatchMoments<T>>& batches, int64_t c, SumOverRanks& ranks) {
  if (batches.empty()) {
    return;
  }
  std::vector<Numbers<double>> sums;  // of numbers and of their squares, [2, c]
  for (const BatchMoments<T>& batch : batches) {
    const Numbers<double>& sum = sums.emplace_back(2 * c);
    for (int64_t k = 0; k < c; ++k) {
      sum[k] = batch.mean[k] * batch.count;
      sum[c + k] = batch.square[k] + batch.mean[k] * sum[k];
    }
  }
  double count = batches.front().count;
  sum_over_ranks(sums, 2 * c, count, ranks);
  for (size_t i = 0; i < batches.size(); ++i) {
    batches[i].count = count;
    for (int64_t k = 0; k < c; ++k) {
      const double mean = sums[i][k] / count;
      batches[i].mean[k] = mean;
      batches[i].square[k] = std::max(sums[i][c + k] - mean * sums[i][k], 0.0);
    }
  }
}

/// Sets mean and 1/deviation, [2, c], from the moments of a batch.
template <class T>
void normalise_by_batch(T* mean, const BatchMoments<T>& batch, double epsilon, int64_t c) {
  for (int64_t k = 0; k < c; ++k) {
    mean[k] = static_cast<T>(batch.mean[k]);
    mean[c + k] = static_cast<T>(1 / std::sqrt(batch.square[k] / batch.count + epsilon));
  }
}

/// Sets mean and 1/deviation, [2, c], from running statistics, [channels], of at most c channels.
template <class T>
void normalise_by_running(T* mean, const at::Tensor& running_mean, const at::Tensor& running_var,
                          double epsilon, int64_t c) {
  for (int64_t k = 0; k < running_mean.size(0); ++k) {
    mean[k] = running_mean.const_data_ptr<T>()[k];
    mean[c + k] =
        static_cast<T>(1 / std::sqrt(double{running_var.const_data_ptr<T>()[k]} + epsilon));
  }
}

/// Makes a tensor for the batch moments of each normalisation, [normalisations, 3, channels]; empty
/// in evaluation.
inline at::Tensor batch_tensor(bool training, int64_t n_norms, int64_t channels) {
  return training ? at::empty({n_norms, 3, channels}, at::kDouble) : at::empty({0}, at::kDouble);
}

/// Writes count, mean and sum of squares of the first `channels` channels to `to`, [3, channels].
template <class T>
void write_batch(double* to, const BatchMoments<T>& batch, int64_t channels) {
  std::fill_n(to, channels, batch.count);
  std::copy_n(batch.mean.get(), channels, to + channels);
  std::copy_n(batch.square.get(), channels, to + 2 * channels);
}

/// Sets the coefficients a, b and shift of channel k in `to`, [3, c], by which the gradient of y is
/// a · g + b · y + shift. y: the tensor that is normalised. g: the gradient of factor · (y - mean)
/// / deviation. mean: mean and 1/deviation, [2, c]. sums: Σ g and Σ g · (y - mean), [2, c], over
/// `count` pixels.
template <class T>
void set_coefficients(T* to, const T* mean, const double* sums, T factor, double count,
                      bool training, int64_t c, int64_t k) {
  const double scale = mean[c + k];
  const double a = factor * scale;
  const double b = training ? -a * scale * scale * sums[c + k] / count : 0.0;
  to[k] = static_cast<T>(a);
  to[c + k] = static_cast<T>(b);
  to[2 * c + k] = static_cast<T>(training ? -a * sums[k] / count - b * mean[k] : 0.0);
}

}  // namespace retia::kernels::cpu
