#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "retia/engine/base/json.h"

namespace retia {

/// The options of dynamic loss scaling.
struct LossScalerOptions {
  double scale = 65536;  ///< initial scale
  double growth = 2;     ///< factor of the scale after growth_interval steps without overflow
  double backoff = 0.5;  ///< factor of the scale after a step with overflow
  int64_t growth_interval = 2000;  ///< steps
};

/// Dynamic loss scaling (Micikevicius et al., ICLR 2018), for mixed precision with float16. Small
/// gradients would round to zero, so the loss is multiplied by the largest scale at which gradients
/// do not overflow, and gradients are divided by it. A step with overflow is skipped, and the scale
/// falls. Works on any device, with float32 gradients.
class LossScaler {
 public:
  /// Starts with the scale of `options`. `device`: device of the losses and gradients.
  explicit LossScaler(at::Device device, const LossScalerOptions& options = {});

  /// Returns loss * scale.
  at::Tensor scaled(const at::Tensor& loss) const;

  /// Divides `gradients`, which may be undefined, by the scale; returns whether all were finite.
  /// With several ranks call it with averaged gradients, so that ranks agree.
  bool unscale(std::vector<at::Tensor>& gradients);

  /// Ends a training step: lowers the scale if a gradient was not finite, and may raise it
  /// otherwise.
  void update();

  /// Returns the current scale; waits for the device.
  double scale() const;
  /// Returns the number of steps with overflow since start_counting, or since the beginning.
  int64_t n_overflows() const { return n_overflows_; }
  /// Sets n_overflows to 0.
  void start_counting() { n_overflows_ = 0; }

  /// Returns the scale and the counts, for a checkpoint.
  Json state() const;
  /// Restores what state() returned.
  void load_state(const Json& state);

 private:
  LossScalerOptions options_;
  at::Tensor scale_, found_inf_;  // float32 [1]
  at::Tensor growth_tracker_;     // int32 [1], number of steps without overflow
  bool overflowed_ = false, checked_ = false;
  int64_t n_overflows_ = 0;
};

}  // namespace retia
