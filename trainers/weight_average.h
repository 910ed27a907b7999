#pragma once

#include <cstdint>

#include "retia/trainers/optimizer.h"

namespace retia {

/// The exponential moving average of a model's parameters and buffers (Polyak and Juditsky 1992;
/// used in this form by Szegedy et al. 2016, Tan and Le 2019). After the t-th step
///   a <- d_t a + (1 - d_t) w,  d_t = min(decay, (1 + t) / (10 + t)),
/// so that the initial weights are soon forgotten. Statistics of batch normalisations are averaged
/// like weights; integer buffers are copied.
class WeightAverage {
 public:
  /// Starts with the current values of `model`. `decay`: in [0, 1].
  WeightAverage(const torch::nn::Module& model, double decay);

  /// Updates the averages; called after a step of the weights.
  void update();

  /// Copies the averages into the model's parameters and buffers.
  void copy_to_model() const;

  /// Returns the averages by the names of the model's parameters and buffers.
  NamedTensors tensors() const;
  /// Returns t, the number of updates.
  int64_t n_updates() const { return n_updates_; }
  /// Restores the averages. Throws, naming the tensor, where one is missing or of another shape.
  void load(const NamedTensors& tensors, int64_t n_updates);

  /// Puts the averages into the model for as long as the object lives; then restores the exact bits
  /// of its own values.
  class [[nodiscard]] InUse {
   public:
    /// Puts the averages into the model. `average` and the model must outlive this object.
    explicit InUse(const WeightAverage& average);
    ~InUse();
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

   private:
    const WeightAverage& average_;
    std::vector<at::Tensor> saved_;
  };

 private:
  std::vector<std::string> names_;
  std::vector<at::Tensor> model_, averages_;
  double decay_;
  int64_t n_updates_ = 0;
};

}  // namespace retia
