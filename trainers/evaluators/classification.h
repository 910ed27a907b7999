#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include "engine/evaluator.h"
#include "engine/executor/network.h"
#include "trainers/data/data_sets.h"
#include "trainers/evaluators/trial_training.h"
#include "trainers/optimizer.h"

namespace retia {

struct ClassificationOptions {
  DataOptions data = {};    ///< its valid_fraction is what models are scored on
  int64_t epochs = 10;      ///< ≥ 1; a proposal may ask for others
  int64_t batch_size = 64;  ///< ≥ 1
  SgdOptions weight_optimizer = {};
  bool intermediate = false;  ///< score after each epoch, not only where the trial has floors
  bool keep_weights = false;  ///< keep weights also of trials that no other can continue
  uint64_t seed = 0;          ///< of the split, weights, order and augmentation
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ClassificationOptions, data, epochs, batch_size,
                                                weight_optimizer, intermediate, keep_weights, seed)

/// Scores a model by its accuracy on held-out training samples, after training it from scratch on
/// the others, or further where the proposal continues a trial. The test set is never looked at. A
/// function of the model and the options. Objective: "accuracy", 0 to 1. Metrics: "loss", mean
/// cross-entropy on what is held out; "train_loss" and "train_accuracy" of the last epoch;
/// "parameters"; of a trial that ended early "epochs", those it had.
class ClassificationEvaluator final : public Evaluator {
 public:
  /// Loads the data, to `device`. dtype: what models compute in (see
  /// precision.h).
  ClassificationEvaluator(const ClassificationOptions& options, const DataSets& data_sets,
                          at::Device device = at::kCPU, at::ScalarType dtype = at::kFloat,
                          Executor executor = Executor::Fused);

  std::vector<Objective> objectives() const override { return {{.name = "accuracy"}}; }
  Evaluation evaluate(const ir::Graph& model, const Trial& trial) override;
  std::vector<Evaluation> evaluate_merged(std::span<const ir::Graph> models,
                                          std::span<const Trial> trials) override;
  Json to_json() const override;

 private:
  Network network_of(const ir::Graph& model) const;
  TrialTraining training() const;

  ClassificationOptions options_;
  at::Device device_;
  at::ScalarType dtype_;
  Executor executor_;
  Dataset set_;
  std::vector<int64_t> train_, valid_;
};

}  // namespace retia
