#include "retia/engine/executor/recognition.h"

#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/pool.h"

namespace retia {

std::vector<std::vector<size_t>> readers_of(const std::vector<Step>& steps,
                                            const std::vector<size_t>& outputs) {
  std::vector<std::vector<size_t>> readers(steps.size());
  for (size_t i = 0; i < steps.size(); ++i) {
    for (const size_t input : steps[i].inputs) {
      readers[input].push_back(i);
    }
  }
  for (const size_t output : outputs) {
    readers[output].push_back(steps.size());
  }
  return readers;
}

std::string decided_type(const Step& step) {
  const auto* operation = std::get_if<ir::Operation>(&step.node.body);
  bool is_decided = operation != nullptr && !step.channels;
  if (is_decided) {
    operation->visit_choices([&](const auto&...) { is_decided = false; });
  }
  return is_decided ? operation->type() : "";
}

at::Tensor parameter_of(const Step& step, const std::string& name) {
  const auto parameters = step.layer->named_parameters();
  const at::Tensor* const found = parameters.find(name);
  return found != nullptr ? *found : at::Tensor();
}

std::optional<Convolution> convolution(const Step& step) {
  const auto o = options_of<Conv2dOptions>(step);
  const int64_t half = o.dilation.value() * (o.kernel.value() - 1) / 2;
  const int64_t padding = o.padding.value();
  if (o.bias.value() || o.kernel.value() % 2 == 0 || (padding != -1 && padding != half)) {
    return std::nullopt;
  }
  return Convolution{o.kernel.value(), o.stride.value(), o.dilation.value()};
}

bool is_pool_of_three(const Step& step) {
  const auto o = options_of<PoolOptions>(step);
  return o.kernel.value() == 3 && (o.padding.value() == -1 || o.padding.value() == 1);
}

Norm norm_of(const Step& step) {
  const auto layer = std::dynamic_pointer_cast<BatchNormLayer>(step.layer);
  const auto statistics = layer->named_buffers();
  return {layer, statistics["running_mean"], statistics["running_var"],
          options_of<BatchNormOptions>(step).epsilon.value()};
}

}  // namespace retia
