#include "retia/trainers/loss_scaler.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_amp_foreach_non_finite_check_and_unscale.h>
#include <ATen/ops/_amp_update_scale.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

namespace retia {

LossScaler::LossScaler(at::Device device, const LossScalerOptions& options)
    : options_(options),
      scale_(at::full({1}, options.scale, at::TensorOptions(device).dtype(at::kFloat))),
      found_inf_(at::zeros({1}, at::TensorOptions(device).dtype(at::kFloat))),
      growth_tracker_(at::zeros({1}, at::TensorOptions(device).dtype(at::kInt))) {}

at::Tensor LossScaler::scaled(const at::Tensor& loss) const { return loss * scale_.squeeze(0); }

bool LossScaler::unscale(std::vector<at::Tensor>& gradients) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> defined;
  for (const at::Tensor& gradient : gradients) {
    if (gradient.defined()) {
      defined.push_back(gradient);
    }
  }
  // Not in place: autograd may hand out one tensor for several parameters.
  const auto [unscaled, found_inf] = at::_amp_foreach_non_finite_check_and_unscale(
      defined, at::zeros_like(found_inf_), scale_.to(at::kDouble).reciprocal().to(at::kFloat));
  auto next = unscaled.begin();
  for (at::Tensor& gradient : gradients) {
    gradient = gradient.defined() ? *next++ : gradient;
  }
  const bool finite = found_inf.item<float>() == 0;
  checked_ = true;
  overflowed_ = overflowed_ || !finite;
  return finite;
}

void LossScaler::update() {
  if (!std::exchange(checked_, false)) {
    return;
  }
  const at::NoGradGuard no_grad;
  n_overflows_ += overflowed_ ? 1 : 0;
  found_inf_.fill_(std::exchange(overflowed_, false) ? 1 : 0);
  at::_amp_update_scale_(scale_, growth_tracker_, found_inf_, options_.growth, options_.backoff,
                         options_.growth_interval);
}

double LossScaler::scale() const { return scale_.item<double>(); }

Json LossScaler::state() const {
  return {{"scale", scale()},
          {"growth_tracker", growth_tracker_.item<int64_t>()},
          {"overflows", n_overflows_}};
}

void LossScaler::load_state(const Json& state) {
  scale_.fill_(state.at("scale").get<double>());
  growth_tracker_.fill_(state.at("growth_tracker").get<int64_t>());
  n_overflows_ = state.at("overflows");
}

}  // namespace retia
