#include "engine/operations/batch_norm.h"

#include <ATen/ops/batch_norm.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include "engine/operations/primitive.h"

namespace retia {

BatchNormLayer::BatchNormLayer(const BatchNormOptions& options, int64_t channels)
    : epsilon_(options.epsilon.value()), momentum_(options.momentum.value()) {
  if (options.affine.value()) {
    weight_ = register_parameter("weight", at::ones({channels}));
    bias_ = register_parameter("bias", at::zeros({channels}));
  }
  running_mean_ = register_buffer("running_mean", at::zeros({channels}));
  running_var_ = register_buffer("running_var", at::ones({channels}));
}

at::Tensor BatchNormLayer::forward(at::TensorList inputs) {
  TORCH_CHECK(!is_training() || inputs[0].numel() > inputs[0].size(1),
              "batch_norm needs more than one value per channel while training, got ",
              inputs[0].sizes(), ": choose a batch size that leaves no single sample over");
  const bool keep = is_training() && keeps_statistics_;
  return at::batch_norm(inputs[0], weight_, bias_, keep ? at::Tensor() : running_mean_,
                        keep ? at::Tensor() : running_var_, is_training(), momentum_, epsilon_,
                        true);
}

namespace {

class BatchNorm final : public Primitive<BatchNormOptions> {
 public:
  BatchNorm() : Primitive("batch_norm") {}

 private:
  Shape infer(const BatchNormOptions& o, const Shapes& inputs) const override {
    TORCH_CHECK(o.momentum.min() > 0 && o.momentum.max() <= 1,
                "momentum must be above 0 and at most 1, got ", o.momentum.to_string());
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
