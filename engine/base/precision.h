#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <string>

namespace retia {

/// A dtype stands for each precision. float32 and float64 are used throughout; bfloat16 and float16
/// mean mixed precision by autocast, where weights, batch statistics, outputs, losses, gradients
/// and alphas stay float32.

/// Returns the dtype of a precision's name: fp32, fp64, bf16 or fp16. Throws on another name.
at::ScalarType dtype_of(const std::string& precision);
/// Returns the name of a precision's dtype.
std::string precision_of(at::ScalarType computed_in);

/// Returns whether `computed_in` is bfloat16 or float16, i.e. mixed precision by autocast.
inline bool is_lower(at::ScalarType computed_in) {
  return computed_in == at::kBFloat16 || computed_in == at::kHalf;
}

/// Returns the dtype of weights and batches of models that compute in `computed_in`.
inline at::ScalarType stored_in(at::ScalarType computed_in) {
  return is_lower(computed_in) ? at::kFloat : computed_in;
}

/// Enables autocast in this thread, on devices of type `device`, during the object's lifetime:
/// operations that LibTorch's autocast lists (convolutions, matrix products) compute in
/// `computed_in`. Does nothing for float32 and float64. Weights are cast once and the casts are
/// cached meanwhile.
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

/// Returns the dtype to which autocast casts now on devices of type `device`; float32 where
/// autocast is off.
at::ScalarType autocast_to(at::DeviceType device);

}  // namespace retia
