#pragma once

#include "trainers/one_shot/early_stop.h"
#include "trainers/one_shot/one_shot_trainer.h"
#include "trainers/one_shot/penalty.h"

namespace retia {

struct DartsOptions {
  int64_t order = 1;                 ///< 1: alpha gradients at the present weights; 2: see below
  double warmup = 0;                 ///< part of the search before alphas are trained, 0 to 1
  AdamOptions alpha_optimizer = {};  ///< the paper's
  PenaltyOptions penalty = {};       ///< of the loss of architecture steps
  EarlyStopOptions early_stop = {};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DartsOptions, order, warmup, alpha_optimizer,
                                                penalty, early_stop)

/// DARTS (Liu et al., ICLR 2019): a step is
///   alpha <- alpha - Adam(grad_alpha L_valid(w', alpha))   (first order: no weight gradient is
///   made) w     <- w - SGD(grad_w L_train(w, alpha)).
/// First order: w' = w. Second order: w' = w - xi d with the step d that SGD would take on L_train
/// (momentum and decay included) and its learning rate xi, and the gradient goes through that step
/// (see unrolled.h); the extra passes leave weights and batch statistics as they were, bit for bit,
/// and compute in float32 at least.
/// With a penalty, L_valid is the penalised loss. For every mutator with parameters of its own that
/// its weights() depend on.
class DartsTrainer : public OneShotTrainer {
 public:
  DartsTrainer(const SearchSetup& setup, Mutator& mutator, const DartsOptions& options);

  StepStats train_step(const Batch& train, const Batch& valid) override;

  /// What an architecture step on these batches would give Adam, under the decisions that hold.
  Gradients alpha_gradients(const Batch& train, const Batch& valid);

  /// The largest eigenvalue of the Hessian of the loss on `valid` in the alphas, under the
  /// decisions that hold. Changes nothing.
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
