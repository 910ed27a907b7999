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

/// The options of scoring models by their accuracy.
struct ClassificationOptions {
  DataOptions data = {};    ///< its valid_fraction is held out for scoring
  int64_t epochs = 10;      ///< ≥ 1; a proposal may ask for another number
  int64_t batch_size = 64;  ///< ≥ 1
  SgdOptions weight_optimizer = {};
  /// Scores after each epoch, even if the trial has no pruning thresholds.
  bool intermediate = false;
  bool keep_weights = false;  ///< keeps weights also of trials that no other trial can continue
  uint64_t seed = 0;          ///< seed of the split, weights, order and augmentation
};
inline std::vector<Option> declared(ClassificationOptions& o) {
  return {
      option("data", o.data, "data set"),
      option("epochs", o.epochs, Range{1, 1e6}, "epochs of a trial"),
      option("batch_size", o.batch_size, Range{1, 1e9}, "samples of a step"),
      option("weight_optimizer", o.weight_optimizer, "SGD, which trains the weights"),
      option("intermediate", o.intermediate, "a score after each epoch"),
      option("keep_weights", o.keep_weights,
             "weights are kept also of trials that no other can continue"),
      option("seed", o.seed, Range{0}, "seed of the split, weights and order"),
  };
}

/// Scores a model by its accuracy on held-out training samples, after training it on the rest: from
/// scratch, or from the weights of the trial that the proposal continues. Never uses the test set.
/// The result depends on the model and the options only. Objective: "accuracy", in [0, 1]. Metrics:
/// "loss", the mean cross-entropy on the held-out samples; "train_loss" and "train_accuracy" of the
/// last epoch; "parameters"; for a trial that ended early "epochs", the number of its epochs.
class ClassificationEvaluator final : public Evaluator {
 public:
  /// Loads the data to `device`. `dtype`: dtype in which models compute (see precision.h).
  ClassificationEvaluator(const ClassificationOptions& options, const DataSets& data_sets,
                          at::Device device = at::kCPU, at::ScalarType dtype = at::kFloat,
                          Executor executor = Executor::Fused);

  std::vector<Objective> objectives() const override { return {{.name = "accuracy"}}; }
  Evaluation evaluate(const Trial& trial) override;
  std::optional<std::vector<Evaluation>> evaluate_merged(std::span<const Trial> trials) override;
  Json to_json() const override;

 private:
  Network network_of(const ir::Graph& model) const;
  TrialTraining training() const;

  ClassificationOptions options_;
  at::Device device_;
  at::ScalarType dtype_;
  Executor executor_;
  Dataset set_;
  Split split_;
};

}  // namespace retia
