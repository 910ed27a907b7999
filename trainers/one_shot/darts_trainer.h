#pragma once

#include "retia/trainers/one_shot/early_stop.h"
#include "retia/trainers/one_shot/one_shot_trainer.h"
#include "retia/trainers/one_shot/penalty.h"

namespace retia {

struct DartsOptions {
  int64_t order = 1;  ///< 1: alpha gradients at the present weights; 2: see DartsTrainer
  double warmup = 0;  ///< fraction of the search before alphas are trained, in [0, 1)
  AdamOptions alpha_optimizer = {};  ///< defaults as in the paper
  PenaltyOptions penalty = {};       ///< cost penalty in the loss of architecture steps
  EarlyStopOptions early_stop = {};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DartsOptions, order, warmup, alpha_optimizer,
                                                penalty, early_stop)

/// DARTS (Liu et al., ICLR 2019): a step is
///   alpha <- alpha - Adam(grad_alpha L_valid(w', alpha))
///   w     <- w - SGD(grad_w L_train(w, alpha)).
/// First order: w' = w, and no weight gradient is computed for the first line. Second order:
///   w' = w - xi d
/// with the step d that SGD would take on L_train (momentum and decay included) and its learning
/// rate xi; the gradient goes through that step (see unrolled.h). Its extra passes leave weights
/// and batch statistics unchanged, bit for bit, and compute in float32 or float64.
///
/// With a penalty, L_valid is the penalised loss. Works with every mutator that has parameters of
/// its own on which its weights() or gates() depend.
class DartsTrainer : public OneShotTrainer {
 public:
  DartsTrainer(const SearchSetup& setup, Mutator& mutator, const DartsOptions& options);

  StepStats train_step(const Batch& train, const Batch& valid) override;

  /// Returns the gradients that an architecture step on these batches would pass to Adam, under the
  /// current decisions.
  Gradients alpha_gradients(const Batch& train, const Batch& valid);

  /// Returns the largest eigenvalue of the Hessian of the loss on `valid` in the alphas, under the
  /// current decisions. Changes nothing.
  double curvature(const Batch& valid, uint64_t seed);

 private:
  void end_epoch(EpochReport& report) override;
  bool ends_early() const override { return !early_stop_.reason().empty(); }
  std::optional<Score> validate() override;
  void save(Checkpoint& checkpoint) override;
  void load(const Checkpoint& checkpoint) override;

  DartsOptions options_;
  LossPenalty penalised_;
  Optimizer alpha_optimizer_;
  EarlyStop early_stop_;
};

}  // namespace retia
