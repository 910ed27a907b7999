#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "retia/engine/executor/network.h"
#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/io/option.h"
#include "retia/trainers/data/data_sets.h"
#include "retia/trainers/data/split.h"
#include "retia/trainers/evaluators/trial_training.h"
#include "retia/trainers/optimizer.h"

namespace retia {

/// The quantity by which a regression is scored, on held-out samples.
enum class RegressionMetric {
  Mse,  ///< mean squared error, to be minimised
  Mae,  ///< mean absolute error, to be minimised
  R2    ///< 1 - mse / variance of the targets, to be maximised
};
NLOHMANN_JSON_SERIALIZE_ENUM(RegressionMetric, {{RegressionMetric::Mse, "mse"},
                                                {RegressionMetric::Mae, "mae"},
                                                {RegressionMetric::R2, "r2"}})

/// The options of scoring models by the error of their predictions.
struct RegressionOptions {
  DataOptions data = {};    ///< its valid_fraction is held out for scoring
  int64_t epochs = 10;      ///< ≥ 1; a proposal may ask for another number
  int64_t batch_size = 64;  ///< ≥ 1
  SgdOptions weight_optimizer = {};
  RegressionMetric metric = RegressionMetric::Mse;
  /// Scores after each epoch, even if the trial has no pruning thresholds.
  bool intermediate = false;
  bool keep_weights = false;  ///< keeps weights also of trials that no other trial can continue
  uint64_t seed = 0;          ///< seed of the split, weights and order
};
inline std::vector<Option> declared(RegressionOptions& o) {
  return {
      option("data", o.data, "data set"),
      option("epochs", o.epochs, Range{1, 1e6}, "epochs of a trial"),
      option("batch_size", o.batch_size, Range{1, 1e9}, "samples of a step"),
      option("weight_optimizer", o.weight_optimizer, "SGD, which trains the weights"),
      option("metric", o.metric, "error that is the objective"),
      option("intermediate", o.intermediate, "a score after each epoch"),
      option("keep_weights", o.keep_weights,
             "weights are kept also of trials that no other can continue"),
      option("seed", o.seed, Range{0}, "seed of the split, weights and order"),
  };
}

/// The errors of predictions.
struct RegressionScore {
  double mse = 0;  ///< mean squared error
  double mae = 0;  ///< mean absolute error
  double r2 = 0;   ///< 1 - mse / variance of the targets
};

/// Computes the errors. `predictions`, `targets`: [n], in the same unit. r2 is 0 where all targets
/// are equal.
RegressionScore score_regression(const at::Tensor& predictions, const at::Tensor& targets);

/// Scores a model that predicts numbers by its error on held-out training samples, after training
/// it on the rest by the mean squared error of standardised targets: from scratch, or from the
/// weights of the trial that the proposal continues. Never uses the test set. The result depends on
/// the model and the options only. Metrics, in the unit of the targets: "mse", "mae", "r2"; also
/// "parameters"; for a trial that ended early "epochs", the number of its epochs.
class RegressionEvaluator final : public Evaluator {
 public:
  /// Loads the data to `device`. `dtype`: dtype in which models compute (see precision.h).
  RegressionEvaluator(const RegressionOptions& options, const DataSets& data_sets,
                      at::Device device = at::kCPU, at::ScalarType dtype = at::kFloat,
                      Executor executor = Executor::Fused);

  std::vector<Objective> objectives() const override;
  Evaluation evaluate(const Trial& trial) override;
  std::optional<std::vector<Evaluation>> evaluate_merged(std::span<const Trial> trials) override;
  Json to_json() const override;

 private:
  Network network_of(const ir::Graph& model) const;
  TrialTraining training() const;
  Evaluation score(Network& network) const;

  RegressionOptions options_;
  at::Device device_;
  at::ScalarType dtype_;
  Executor executor_;
  Dataset set_;  // with standardised targets
  double mean_ = 0, deviation_ = 1;
  Split split_;
};

}  // namespace retia
