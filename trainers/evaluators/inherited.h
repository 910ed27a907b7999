#pragma once

#include "engine/evaluator.h"
#include "engine/executor/network.h"
#include "trainers/data/batches.h"

namespace retia {

/// Scores an architecture by its accuracy with the weights that it inherits from a trained
/// supernet, its batch normalisations recalibrated (see recalibrate). Objective: "score", that
/// accuracy (0 to 1) or what a reward makes of it. Metrics: "accuracy"; "loss", mean cross-entropy.
/// A function of the architecture and the supernet, which stays as it is: each rank comes to the
/// same by itself, to the bit. It holds the supernet, so only this process can make it.
class InheritedEvaluator final : public Evaluator {
 public:
  using Reward = std::function<double(double accuracy, const Architecture& architecture)>;

  /// train: recalibrates, by its first `recalibration_batches` (0: none), whole ones. scoring: is
  /// scored on. reward: null: the accuracy itself.
  InheritedEvaluator(Network supernet, const Batches& train, Batches scoring,
                     int64_t recalibration_batches, Reward reward = nullptr);

  Evaluation evaluate(const ir::Graph& model, const Trial& trial) override;
  Json to_json() const override;

 private:
  Network supernet_;
  Batches train_, scoring_;
  int64_t recalibration_batches_;
  Reward reward_;
};

}  // namespace retia
