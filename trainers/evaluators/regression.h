#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "engine/evaluator.h"
#include "engine/executor/network.h"
#include "trainers/data/data_sets.h"
#include "trainers/evaluators/trial_training.h"
#include "trainers/optimizer.h"

namespace retia {

/// What a regression is judged by, on held-out samples.
enum class RegressionMetric {
  Mse,  ///< mean squared error, to be minimised
  Mae,  ///< mean absolute error, to be minimised
  R2    ///< 1 - mse / variance of the targets, to be maximised
};
NLOHMANN_JSON_SERIALIZE_ENUM(RegressionMetric, {{RegressionMetric::Mse, "mse"},
                                                {RegressionMetric::Mae, "mae"},
                                                {RegressionMetric::R2, "r2"}})

struct RegressionOptions {
  DataOptions data = {};    ///< its valid_fraction is what models are scored on
  int64_t epochs = 10;      ///< ≥ 1; a proposal may ask for others
  int64_t batch_size = 64;  ///< ≥ 1
  SgdOptions weight_optimizer = {};
  RegressionMetric metric = RegressionMetric::Mse;
  bool intermediate = false;  ///< score after each epoch, not only where the trial has floors
  bool keep_weights = false;  ///< keep weights also of trials that no other can continue
  uint64_t seed = 0;          ///< of the split, weights and order
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RegressionOptions, data, epochs, batch_size,
                                                weight_optimizer, metric, intermediate,
                                                keep_weights, seed)

/// Errors of predictions; the variance is that of the targets.
struct RegressionScore {
  double mse = 0, mae = 0, r2 = 0;
};

/// predictions, targets: [n], in the same unit. r2 of targets that are all equal is 0.
RegressionScore score_regression(const at::Tensor& predictions, const at::Tensor& targets);

/// Scores a model that predicts numbers by its error on held-out training samples, after training
/// it from scratch on the others by the mean squared error of standardised targets. The test set is
/// never looked at. A function of the model and the options. Metrics, in the targets' own unit:
/// "mse", "mae", "r2"; and "parameters"; of a trial that ended early "epochs", those it had.
class RegressionEvaluator final : public Evaluator {
 public:
  /// Loads the data, to `device`. dtype: what models compute in (see
  /// precision.h).
  RegressionEvaluator(const RegressionOptions& options, const DataSets& data_sets,
                      at::Device device = at::kCPU, at::ScalarType dtype = at::kFloat,
                      Executor executor = Executor::Fused);

  std::vector<Objective> objectives() const override;
  Evaluation evaluate(const ir::Graph& model, const Trial& trial) override;
  std::vector<Evaluation> evaluate_merged(std::span<const ir::Graph> models,
                                          std::span<const Trial> trials) override;
  Json to_json() const override;

 private:
  Network network_of(const ir::Graph& model) const;
  TrialTraining training() const;
  Evaluation score(Network& network) const;

  RegressionOptions options_;
  at::Device device_;
  at::ScalarType dtype_;
  Executor executor_;
  Dataset set_;  // its targets standardised
  double mean_ = 0, deviation_ = 1;
  std::vector<int64_t> train_, valid_;
};

}  // namespace retia
