#include "retia/engine/operations/layer_norm.h"

#include <ATen/ops/layer_norm.h>

#include "retia/engine/operations/elastic_layer.h"
#include "retia/engine/operations/primitive.h"

namespace retia {
namespace {

class LayerNormLayer final : public ElasticLayer {
 public:
  LayerNormLayer(const LayerNormOptions& o, const Dim& channels)
      : channels_({SharedAxis::channels(channels)}),
        epsilon_(o.epsilon.value()),
        affine_(o.affine.value()) {
    depend_on(channels);
    if (affine_) {
      share_parameter("weight", {SharedAxis::channels(channels)}, 1);
      share_parameter("bias", {SharedAxis::channels(channels)}, 0);
    }
  }

  void follow(const ValueChoices& choices) override {
    ElasticLayer::follow(choices);
    channels_.follow(choices);
  }

  at::Tensor forward(at::TensorList inputs) override {
    const at::Tensor x = inputs[0].movedim(1, -1);
    const at::Tensor mask = channels_.mask(x.options().requires_grad(false));
    const at::Tensor y =
        mask.defined() ? blended(x, mask.expand({x.size(-1)}))
                       : at::layer_norm(x, {x.size(-1)}, part("weight"), part("bias"), epsilon_);
    return y.movedim(-1, 1);
  }

 private:
  at::Tensor blended(const at::Tensor& x, const at::Tensor& mask) {
    const at::Tensor n = mask.sum();
    const at::Tensor centred = x - (x * mask).sum(-1, /*keepdim=*/true) / n;
    const at::Tensor variance = (centred.square() * mask).sum(-1, /*keepdim=*/true) / n;
    const at::Tensor y = centred * (variance + epsilon_).rsqrt();
    return affine_ ? y * mixed("weight") + mixed("bias") : y * mask;
  }

  SharedAxes channels_;
  double epsilon_;
  bool affine_;
};

class LayerNorm final : public Primitive<LayerNormOptions> {
 public:
  LayerNorm() : Primitive("layer_norm") {}

 private:
  Shape infer(const LayerNormOptions& o, const Shapes& inputs) const override {
    TORCH_CHECK(inputs.size() == 1 && !inputs.front().empty(),
                "expected one input with channels, got ", inputs.size());
    TORCH_CHECK(o.epsilon.min() >= 0, "epsilon must be at least 0, got ", o.epsilon.to_string());
    return inputs.front();
  }

  ir::Cost cost(const LayerNormOptions& o, const Shapes& inputs) const override {
    return {0, o.affine.value() ? 2 * inputs.front()[0] : Dim(0)};
  }

  std::shared_ptr<Layer> make(const LayerNormOptions& o, const Shapes& inputs) const override {
    return std::make_shared<LayerNormLayer>(o, inputs.front()[0]);
  }
};

}  // namespace

ir::Operation ops::layer_norm(const LayerNormOptions& options) {
  return operation<LayerNorm>(options);
}

}  // namespace retia
