#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "engine/json.h"

namespace retia {

struct LossScalerOptions {
  double scale = 65536;            ///< at first
  double growth = 2;               ///< its factor after growth_interval steps without an overflow
  double backoff = 0.5;            ///< its factor after a step with one
  int64_t growth_interval = 2000;  ///< steps
};

/// Dynamic loss scaling (Micikevicius et al., ICLR 2018): gradients of a float16 pass would be
/// rounded to zero, so the loss is multiplied by the largest scale at which they do not overflow,
/// and they are divided by it. A step whose gradients overflow is left out, and the scale falls.
/// Works on any device, on gradients of float32.
class LossScaler {
 public:
  explicit LossScaler(at::Device device, const LossScalerOptions& options = {});

  /// loss * scale.
  at::Tensor scaled(const at::Tensor& loss) const;

  /// Divides by the scale, some of `gradients` being undefined; whether all were finite. Of several
  /// ranks their averages, so that they agree.
  bool unscale(std::vector<at::Tensor>& gradients);

  /// At the end of a training step: the scale falls where a gradient of it was not finite, and may
  /// grow where all were.
  void update();

  double scale() const;
  /// Steps with an overflow since start_counting, or in all.
  int64_t n_overflows() const { return n_overflows_; }
  void start_counting() { n_overflows_ = 0; }

  Json state() const;
  void load_state(const Json& state);

 private:
  LossScalerOptions options_;
  at::Tensor scale_, found_inf_;  // float32 [1]
  at::Tensor growth_tracker_;     // int32 [1], steps without an overflow
  bool overflowed_ = false, checked_ = false;
  int64_t n_overflows_ = 0;
};

}  // namespace retia
