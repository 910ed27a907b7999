#include "retia/engine/distributed/gradient_average.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

namespace retia {

GradientAverage::GradientAverage(Ranks& ranks, int64_t bucket_bytes)
    : ranks_(ranks), bucket_bytes_(bucket_bytes) {}

GradientAverage::~GradientAverage() {
  for (const auto& [tensor, hook] : hooks_) {
    tensor.remove_hook(hook);
  }
}

std::vector<at::Tensor> GradientAverage::operator()(
    std::span<const at::Tensor> of, const std::function<std::vector<at::Tensor>()>& gradients) {
  buckets_.clear();
  places_.clear();
  added_.assign(of.size(), false);
  for (size_t i = 0; i < of.size(); ++i) {
    watch(of[i]);
    places_[of[i].unsafeGetTensorImpl()] = i;
  }
  std::vector<at::Tensor> values = gradients();
  places_.clear();
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].defined() && !added_[i]) {
      add(i, values[i]);
    }
  }
  send();
  const at::NoGradGuard no_grad;
  for (const Bucket& bucket : buckets_) {
    bucket.wait();
    bucket.sum.div_(static_cast<double>(ranks_.size()));
    int64_t next = 0;
    for (const size_t place : bucket.places) {
      at::Tensor& value = values[place];
      value = bucket.sum.slice(0, next, next + value.numel()).view(value.sizes());
      next += value.numel();
    }
  }
  buckets_.clear();
  return values;
}

void GradientAverage::watch(const at::Tensor& tensor) {
  const void* const key = tensor.unsafeGetTensorImpl();
  if (!watched_.insert(key).second) {
    return;
  }
  // Once for good: a hook that is taken off leaves its place behind.
  const unsigned hook = tensor.register_hook([this, key](const at::Tensor& gradient) {
    const auto place = places_.find(key);
    if (place != places_.end() && gradient.defined()) {
      add(place->second, gradient);
    }
  });
  hooks_.emplace_back(tensor, hook);
}

void GradientAverage::add(size_t place, const at::Tensor& gradient) {
  const bool fits = !buckets_.empty() && !buckets_.back().tensors.empty() &&
                    buckets_.back().tensors.front().options().type_equal(gradient.options());
  if (!fits) {
    send();
    buckets_.emplace_back();
  }
  Bucket& bucket = buckets_.back();
  added_[place] = true;
  bucket.places.push_back(place);
  bucket.tensors.push_back(gradient.detach().reshape({-1}));
  bucket.bytes += static_cast<int64_t>(gradient.nbytes());
  if (bucket.bytes >= bucket_bytes_) {
    send();
  }
}

void GradientAverage::send() {
  if (buckets_.empty() || buckets_.back().tensors.empty()) {
    return;
  }
  Bucket& bucket = buckets_.back();
  bucket.sum = at::cat(bucket.tensors);
  bucket.tensors.clear();
  bucket.wait = ranks_.start_sum(bucket.sum, CallFor::Gradients);
}

}  // namespace retia
