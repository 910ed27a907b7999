#include "retia/trainers/weight_average.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "retia/trainers/score.h"

namespace retia {

WeightAverage::WeightAverage(const torch::nn::Module& model, double decay) : decay_(decay) {
  for (const auto& [name, tensor] : weights_of(model)) {
    names_.push_back(name);
    model_.push_back(tensor);
    averages_.push_back(tensor.detach().clone());
  }
}

void WeightAverage::update() {
  const at::NoGradGuard no_grad;
  ++n_updates_;
  const auto t = static_cast<double>(n_updates_);
  const double decay = std::min(decay_, (1 + t) / (10 + t));
  for (size_t i = 0; i < model_.size(); ++i) {
    if (model_[i].is_floating_point()) {
      averages_[i].lerp_(model_[i], 1 - decay);
    } else {
      averages_[i].copy_(model_[i]);
    }
  }
}

void WeightAverage::copy_to_model() const {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < model_.size(); ++i) {
    at::Tensor(model_[i]).copy_(averages_[i]);
  }
}

NamedTensors WeightAverage::tensors() const {
  NamedTensors named;
  for (size_t i = 0; i < names_.size(); ++i) {
    named[names_[i]] = averages_[i];
  }
  return named;
}

void WeightAverage::load(const NamedTensors& tensors, int64_t n_updates) {
  for (size_t i = 0; i < names_.size(); ++i) {
    const auto found = tensors.find(names_[i]);
    TORCH_CHECK(found != tensors.end() && found->second.sizes() == averages_[i].sizes(),
                "the checkpoint has no average of '", names_[i], "' of sizes ",
                averages_[i].sizes(), ": it is of another model, or of a run without trainer.ema");
    averages_[i].copy_(found->second);
  }
  n_updates_ = n_updates;
}

WeightAverage::InUse::InUse(const WeightAverage& average) : average_(average) {
  for (const at::Tensor& tensor : average.model_) {
    saved_.push_back(tensor.detach().clone());
  }
  average.copy_to_model();
}

WeightAverage::InUse::~InUse() {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < saved_.size(); ++i) {
    at::Tensor(average_.model_[i]).copy_(saved_[i]);
  }
}

}  // namespace retia
