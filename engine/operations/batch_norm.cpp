#include "retia/engine/operations/batch_norm.h"

#include <ATen/ops/batch_norm.h>

#include "retia/engine/base/precision.h"
#include "retia/engine/distributed/batch_statistics.h"
#include "retia/engine/operations/primitive.h"

namespace retia {

BatchNormLayer::BatchNormLayer(const BatchNormOptions& options, const Dim& channels)
    : is_elastic_(!channels.decided()),
      epsilon_(options.epsilon.value()),
      momentum_(options.momentum.value()) {
  const SharedAxis axis = SharedAxis::channels(channels);
  if (options.affine.value()) {
    weight_ = share_parameter("weight", {axis}, 1);
    bias_ = share_parameter("bias", {axis}, 0);
  }
  running_mean_ = share_buffer("running_mean", {axis}, 0);
  running_var_ = share_buffer("running_var", {axis}, 1);
}

at::Tensor BatchNormLayer::forward(at::TensorList inputs) {
  const at::Tensor& x = inputs[0];
  TORCH_CHECK(!is_training() || ranks_ != nullptr || x.numel() > x.size(1),
              "batch_norm needs more than one value per channel while training, got ", x.sizes(),
              ": choose a batch size that leaves no single sample over");
  return is_elastic_ ? forward_elastic(x)
                     : normalised(x, weight_, bias_, running_mean_, running_var_);
}

at::Tensor BatchNormLayer::forward_elastic(const at::Tensor& x) {
  const at::Tensor mean = part("running_mean"), variance = part("running_var");
  const at::Tensor result = normalised(x, part("weight"), part("bias"), mean, variance);
  if (is_training() && !keeps_statistics_ && !mean.is_alias_of(running_mean_)) {
    // Of joined channels the parts were copied, so what was learnt has to be written back.
    shared("running_mean").axes.write(running_mean_, mean);
    shared("running_var").axes.write(running_var_, variance);
  }
  return result;
}

at::Tensor BatchNormLayer::normalised(const at::Tensor& x, const at::Tensor& weight,
                                      const at::Tensor& bias, const at::Tensor& mean,
                                      const at::Tensor& variance) {
  const bool keep = is_training() && keeps_statistics_;
  // Without running statistics LibTorch would round those of a batch to a lower dtype of x.
  const bool lower = is_lower(x.scalar_type());
  const at::Tensor kept_mean = !keep ? mean : lower ? mean.clone() : at::Tensor();
  const at::Tensor kept_variance = !keep ? variance : lower ? variance.clone() : at::Tensor();
  if (is_training() && ranks_ != nullptr) {
    return synchronised_batch_norm(lower ? x.to(at::kFloat) : x, weight, bias, kept_mean,
                                   kept_variance, momentum_, epsilon_, *ranks_)
        .to(x.scalar_type());
  }
  has_moved_ = has_moved_ || (is_training() && !keep);
  return at::batch_norm(x, weight, bias, kept_mean, kept_variance, is_training(), momentum_,
                        epsilon_, true);
}

namespace {

class BatchNorm final : public Primitive<BatchNormOptions> {
 public:
  BatchNorm() : Primitive("batch_norm") {}

  bool treats_channels_alike() const override { return true; }

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
    return std::make_shared<BatchNormLayer>(o, inputs.front()[0]);
  }
};

}  // namespace

ir::Operation ops::batch_norm(const BatchNormOptions& options) {
  return operation<BatchNorm>(options);
}

}  // namespace retia
