#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/mixed_op/mixed_op_plan.h"

namespace retia::kernels::cpu {

/// Mean and sum of squares about it of `c` channels over `n` images of `pixels` each, from the
/// images' moments (centre, sum and sum of squares about the centre, [3, c]) at `step`.
template <class T>
struct BatchMoments {
  BatchMoments(const T* moments, int64_t step, int64_t n, int64_t pixels, int64_t c)
      : mean(c), square(c) {
    for (int64_t i = 0; i < n; ++i) {
      const T* const image = moments + i * step;
      const double before = static_cast<double>(i * pixels);
      const auto now = static_cast<double>(pixels);
      for (int64_t k = 0; k < c; ++k) {
        const double sum = image[c + k];
        const double distance = image[k] + sum / now - mean[k];
        square[k] += image[2 * c + k] - sum * sum / now +
                     distance * distance * before * now / (before + now);
        mean[k] += distance * now / (before + now);
      }
    }
    count = static_cast<double>(n * pixels);
  }
  Numbers<double> mean, square;
  double count = 0;
};

/// Sets mean and 1/deviation [2, c] to those of a batch.
template <class T>
void normalise_by_batch(T* mean, const BatchMoments<T>& batch, double epsilon, int64_t c) {
  for (int64_t k = 0; k < c; ++k) {
    mean[k] = static_cast<T>(batch.mean[k]);
    mean[c + k] = static_cast<T>(1 / std::sqrt(batch.square[k] / batch.count + epsilon));
  }
}

/// The same by the running mean and variance of the first `channels`.
template <class T>
void normalise_by_running(T* mean, const at::Tensor& running_mean, const at::Tensor& running_var,
                          double epsilon, int64_t c) {
  for (int64_t k = 0; k < running_mean.size(0); ++k) {
    mean[k] = running_mean.const_data_ptr<T>()[k];
    mean[c + k] =
        static_cast<T>(1 / std::sqrt(double{running_var.const_data_ptr<T>()[k]} + epsilon));
  }
}

/// Moves running statistics towards those of a batch.
template <class T>
void move_running(const at::Tensor& running_mean, const at::Tensor& running_var,
                  const BatchMoments<T>& batch, double momentum) {
  T* const mean = running_mean.mutable_data_ptr<T>();
  T* const variance = running_var.mutable_data_ptr<T>();
  for (int64_t k = 0; k < running_mean.size(0); ++k) {
    mean[k] = static_cast<T>((1 - momentum) * mean[k] + momentum * batch.mean[k]);
    variance[k] = static_cast<T>((1 - momentum) * variance[k] +
                                 momentum * batch.square[k] / (batch.count - 1));
  }
}

/// How the gradient before a normalisation comes of the gradient g behind it and of what is
/// normalised, y: a · g + b · y + shift. sums: Σ g and Σ g · (y - mean) over `count` numbers;
/// factor: what the normalised is taken by. Sets a, b and shift of channel k in `to`, [3, c].
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
