#include "retia/engine/operations/elastic_layer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>

namespace retia {

std::set<std::string> ElasticLayer::labels() const {
  std::set<std::string> labels = other_labels_;
  for (const auto& [name, tensor] : tensors_) {
    labels.insert(tensor.axes.labels().begin(), tensor.axes.labels().end());
  }
  return labels;
}

void ElasticLayer::follow(const ValueChoices& choices) {
  for (auto& [name, tensor] : tensors_) {
    tensor.axes.follow(choices);
  }
}

std::map<std::string, at::Tensor> ElasticLayer::weights_at(const Architecture& architecture) const {
  std::map<std::string, at::Tensor> weights;
  for (const auto& [name, tensor] : tensors_) {
    weights[name] = tensor.axes.at(tensor.stored, architecture);
  }
  return weights;
}

at::Tensor ElasticLayer::share_parameter(const std::string& name, std::vector<SharedAxis> axes,
                                         double value) {
  const SharedAxes shared(std::move(axes));
  const at::Tensor stored = register_parameter(name, at::full(shared.largest(), value));
  tensors_.emplace(name, SharedTensor{stored, shared});
  return stored;
}

at::Tensor ElasticLayer::share_buffer(const std::string& name, std::vector<SharedAxis> axes,
                                      double value) {
  const SharedAxes shared(std::move(axes));
  const at::Tensor stored = register_buffer(name, at::full(shared.largest(), value));
  tensors_.emplace(name, SharedTensor{stored, shared});
  return stored;
}

void ElasticLayer::depend_on(const Dim& dim) {
  for (const auto& [label, count] : dim.expression().choices()) {
    other_labels_.insert(label);
  }
}

at::Tensor ElasticLayer::part(const std::string& name) {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? at::Tensor() : found->second.axes.part(found->second.stored);
}

at::Tensor ElasticLayer::mixed(const std::string& name) {
  const at::Tensor kept = part(name);
  if (!kept.defined()) {
    return kept;
  }
  const at::Tensor mask = shared(name).axes.mask(kept.options().requires_grad(false));
  return mask.defined() ? kept * mask : kept;
}

}  // namespace retia
