#pragma once

#include <cstdint>

#include "trainers/optimizer.h"

namespace retia {

/// The exponential moving average of a model's parameters and buffers (Polyak and Juditsky 1992;
/// its use here: Szegedy et al. 2016, Tan and Le 2019). After the t-th step
///   a <- d_t a + (1 - d_t) w,  d_t = min(decay, (1 + t) / (10 + t)),
/// so that the first weights are soon forgotten. Statistics of batch normalisations are averaged as
/// weights are; buffers of integers are copied.
class WeightAverage {
 public:
  /// Begins at what `model` has; decay: 0 to 1.
  WeightAverage(const torch::nn::Module& model, double decay);

  /// After a step of the weights.
  void update();

  /// The model's parameters and buffers become the averages.
  void copy_to_model() const;

  NamedTensors tensors() const;
  int64_t n_updates() const { return n_updates_; }
  /// Throws, naming it, where a tensor is missing or of other sizes.
  void load(const NamedTensors& tensors, int64_t n_updates);

  /// While it lives the model has the averages, and then the bits it had before.
  class [[nodiscard]] InUse {
   public:
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
