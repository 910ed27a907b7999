#pragma once

#include "retia/engine/executor/network.h"
#include "retia/engine/experiment/evaluator.h"
#include "retia/trainers/data/batches.h"

namespace retia {

/// Scores an architecture by its accuracy with the weights inherited from a trained supernet, after
/// recalibrating its batch normalisations (see recalibrate). Objective: "score", the accuracy in
/// [0, 1] or the reward computed from it. Metrics: "accuracy"; "loss", the mean cross-entropy. The
/// result depends on the architecture and the supernet only, and the supernet is not changed; so
/// ranks compute it independently, bit-identically. Cannot be rebuilt in another process, since it
/// holds the supernet.
class InheritedEvaluator final : public Evaluator {
 public:
  /// Returns the score of an architecture from its accuracy, in [0, 1].
  using Reward = std::function<double(double accuracy, const Architecture& architecture)>;

  /// `train`: recalibration uses its first `recalibration_batches`, undivided (0: none). `scoring`:
  /// the samples for scoring. `reward`: null: the accuracy itself.
  InheritedEvaluator(Network supernet, const Batches& train, Batches scoring,
                     int64_t recalibration_batches, Reward reward = nullptr);

  Evaluation evaluate(const Trial& trial) override;
  Json to_json() const override;

 private:
  Network supernet_;
  Batches train_, scoring_;
  int64_t recalibration_batches_;
  Reward reward_;
};

}  // namespace retia
