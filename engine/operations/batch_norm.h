#pragma once

#include <utility>

#include "retia/engine/operations/elastic_layer.h"
#include "retia/engine/operations/operation.h"

namespace retia {

class Ranks;

/// The parameters of batch normalisation.
struct BatchNormOptions {
  ir::Parameter<bool> affine = true;     ///< a trained scale and shift per channel
  ir::Parameter<double> epsilon = 1e-5;  ///< added to the variance
  ir::Parameter<double> momentum = 0.1;  ///< weight of a new batch in the running statistics
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(BatchNormOptions, affine, epsilon, momentum)

namespace ops {
/// Makes a batch normalisation per channel (Ioffe and Szegedy 2015), [C, ...] → the same shape: by
/// the batch's statistics in training, by the running statistics in evaluation.
ir::Operation batch_norm(const BatchNormOptions& options = {});
}  // namespace ops

/// The layer of batch_norm. Options of fewer channels share scales, shifts and statistics; where
/// several options are blended, the layer runs on the channels of the largest, without masks.
class BatchNormLayer final : public ElasticLayer {
 public:
  /// Makes the layer for inputs `[n, channels, ...]`. `options` are decided.
  BatchNormLayer(const BatchNormOptions& options, const Dim& channels);
  at::Tensor forward(at::TensorList inputs) override;

  /// The weight of a new batch; recalibration changes it.
  double momentum() const { return momentum_; }
  /// Sets the weight of a new batch, above 0 and at most 1.
  void set_momentum(double momentum) { momentum_ = momentum; }
  /// Sets whether batches leave the running statistics unchanged.
  void keep_statistics(bool keep) { keeps_statistics_ = keep; }
  /// Returns whether batches leave the running statistics unchanged.
  bool keeps_statistics() const { return keeps_statistics_; }

  /// Sets the ranks over whose samples batches are normalised (SyncBatchNorm); null: this rank
  /// only.
  void synchronise(Ranks* ranks) { ranks_ = ranks; }
  /// Returns the ranks that synchronise() has set; null: this rank only.
  Ranks* synchronised() const { return ranks_; }

  /// Returns the mean and the variance used in evaluation, `[C]` each.
  std::vector<at::Tensor> running_statistics() const { return {running_mean_, running_var_}; }
  /// Records that a batch of this rank alone has changed the running statistics; called by fused
  /// code that updates them itself.
  void mark_moved() { has_moved_ = ranks_ == nullptr; }
  /// Returns whether a batch of this rank alone has changed the statistics since the last call.
  bool take_moved() { return std::exchange(has_moved_, false); }

 private:
  at::Tensor forward_elastic(const at::Tensor& x);
  at::Tensor normalised(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                        const at::Tensor& mean, const at::Tensor& variance);

  at::Tensor weight_, bias_, running_mean_, running_var_;
  bool is_elastic_;
  double epsilon_, momentum_;
  bool keeps_statistics_ = false;
  bool has_moved_ = false;
  Ranks* ranks_ = nullptr;
};

}  // namespace retia
