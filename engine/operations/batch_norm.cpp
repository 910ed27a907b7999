#include "engine/operations/batch_norm.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "engine/operations/primitive.h"

namespace retia {
namespace {

class BatchNormLayer final : public Layer {
 public:
  BatchNormLayer(const BatchNormOptions& o, int64_t channels)
      : epsilon_(o.epsilon.value()), momentum_(o.momentum.value()) {
    if (o.affine.value()) {
      weight_ = register_parameter("weight", at::ones({channels}));
      bias_ = register_parameter("bias", at::zeros({channels}));
    }
    running_mean_ = register_buffer("running_mean", at::zeros({channels}));
    running_var_ = register_buffer("running_var", at::ones({channels}));
  }

  at::Tensor forward(at::TensorList inputs) override {
    return at::batch_norm(inputs[0], weight_, bias_, running_mean_, running_var_, is_training(),
                          momentum_, epsilon_, true);
  }

 private:
  at::Tensor weight_, bias_, running_mean_, running_var_;
  double epsilon_, momentum_;
};

class BatchNorm final : public Primitive<BatchNormOptions> {
 public:
  BatchNorm() : Primitive("batch_norm") {}

 private:
  Shape infer(const BatchNormOptions&, const Shapes& inputs) const override {
    TORCH_CHECK(inputs.size() == 1 && !inputs.front().empty(),
                "expected one input with channels, got ", inputs.size());
    return inputs.front();
  }

  ir::Cost cost(const BatchNormOptions& o, const Shapes& inputs) const override {
    return {0, o.affine.value() ? 2 * inputs.front()[0] : Dim(0)};
  }

  std::shared_ptr<Layer> make(const BatchNormOptions& o, const Shapes& inputs) const override {
    return std::make_shared<BatchNormLayer>(o, inputs.front()[0].value());
  }
};

}  // namespace

ir::Operation ops::batch_norm(const BatchNormOptions& options) {
  return operation<BatchNorm>(options);
}

}  // namespace retia
