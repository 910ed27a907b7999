#pragma once

#include <utility>

#include "engine/ir/operation.h"
#include "engine/operations/elastic_layer.h"

namespace retia {

class Ranks;

struct BatchNormOptions {
  ir::Parameter<bool> affine = true;     ///< a trained scale and shift per channel
  ir::Parameter<double> epsilon = 1e-5;  ///< added to the variance
  ir::Parameter<double> momentum = 0.1;  ///< weight of a batch in the running statistics
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(BatchNormOptions, affine, epsilon, momentum)

namespace ops {
/// [C, ...] -> the same, normalised per channel (Ioffe and Szegedy 2015): by the batch's statistics
/// while training, by the running ones in evaluation.
ir::Operation batch_norm(const BatchNormOptions& options = {});
}  // namespace ops

/// The layer; recalibration changes its momentum. Options of fewer channels share scales, shifts
/// and statistics; where several are blended it runs on the channels of the largest, without masks.
class BatchNormLayer final : public ElasticLayer {
 public:
  BatchNormLayer(const BatchNormOptions& options, const Dim& channels);
  at::Tensor forward(at::TensorList inputs) override;

  double momentum() const { return momentum_; }
  void set_momentum(double momentum) { momentum_ = momentum; }
  /// Whether batches leave the running statistics as they are.
  void keep_statistics(bool keep) { keeps_statistics_ = keep; }
  bool keeps_statistics() const { return keeps_statistics_; }

  /// Batches are normalised by the statistics of all ranks from now on; null: of this one.
  void synchronise(Ranks* ranks) { ranks_ = ranks; }
  Ranks* synchronised() const { return ranks_; }

  /// Mean and variance that evaluation uses, `[C]` each.
  std::vector<at::Tensor> running_statistics() const { return {running_mean_, running_var_}; }
  /// Told where a batch has moved them; whether one of this rank alone has since the last call.
  void mark_moved() { has_moved_ = ranks_ == nullptr; }
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
