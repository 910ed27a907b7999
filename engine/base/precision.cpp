#include "retia/engine/base/precision.h"

#include <ATen/autocast_mode.h>

#include <array>

namespace retia {
namespace {

struct Named {
  const char* name;
  at::ScalarType dtype;
};

constexpr std::array<Named, 4> kPrecisions = {
    {{"fp32", at::kFloat}, {"fp64", at::kDouble}, {"bf16", at::kBFloat16}, {"fp16", at::kHalf}}};

}  // namespace

at::ScalarType dtype_of(const std::string& precision) {
  for (const Named& known : kPrecisions) {
    if (precision == known.name) {
      return known.dtype;
    }
  }
  TORCH_CHECK(false, "unknown precision '", precision, "': use fp32, fp64, bf16 or fp16");
}

std::string precision_of(at::ScalarType computed_in) {
  for (const Named& known : kPrecisions) {
    if (computed_in == known.dtype) {
      return known.name;
    }
  }
  TORCH_CHECK(false, "models do not compute in ", computed_in);
}

Autocast::Autocast(at::DeviceType device, at::ScalarType computed_in)
    : device_(device), is_on_(is_lower(computed_in)) {
  if (is_on_) {
    was_enabled_ = at::autocast::is_autocast_enabled(device);
    was_ = at::autocast::get_autocast_dtype(device);
    at::autocast::set_autocast_enabled(device, true);
    at::autocast::set_autocast_dtype(device, computed_in);
    at::autocast::increment_nesting();
  }
}

Autocast::~Autocast() {
  if (is_on_) {
    if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();
    }
    at::autocast::set_autocast_dtype(device_, was_);
    at::autocast::set_autocast_enabled(device_, was_enabled_);
  }
}

at::ScalarType autocast_to(at::DeviceType device) {
  return at::autocast::is_autocast_enabled(device) ? at::autocast::get_autocast_dtype(device)
                                                   : at::kFloat;
}

}  // namespace retia
