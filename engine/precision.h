#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>

namespace retia {

/// What models compute in is told by a dtype: float32 and float64, or bfloat16 and float16 by
/// autocast, where weights, batch statistics, outputs and all that is made of them (losses,
/// gradients, alphas) stay float32.

/// By name: fp32, fp64, bf16 or fp16.
at::ScalarType dtype_of(const std::string& precision);
std::string precision_of(at::ScalarType computed_in);

/// Whether that is by autocast.
inline bool is_lower(at::ScalarType computed_in) {
  return computed_in == at::kBFloat16 || computed_in == at::kHalf;
}

/// The dtype of weights and batches of models that compute in `computed_in`.
inline at::ScalarType stored_in(at::ScalarType computed_in) {
  return is_lower(computed_in) ? at::kFloat : computed_in;
}

/// While it lives, operations of this thread on such devices compute in a lower dtype where
/// LibTorch's autocast takes them (convolutions and products of matrices); nothing for float32 and
/// float64. Weights are cast once for all in between.
class [[nodiscard]] Autocast {
 public:
  Autocast(at::DeviceType device, at::ScalarType computed_in);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  at::DeviceType device_;
  bool is_on_;
  bool was_enabled_ = false;
  at::ScalarType was_ = at::kFloat;
};

/// What operations on such devices are cast to now; float32: nothing is.
at::ScalarType autocast_to(at::DeviceType device);

}  // namespace retia
