#pragma once

#include "retia/engine/io/option.h"
#include "retia/trainers/one_shot/early_stop.h"
#include "retia/trainers/one_shot/one_shot_trainer.h"
#include "retia/trainers/one_shot/penalty.h"

namespace retia {

/// The options of training weights and alphas in turns.
struct BilevelOptions {
  int64_t order = 1;  ///< 1: alpha gradients at the present weights; 2: at the weights after a step
  double warmup = 0;  ///< fraction of the search before alphas are trained, in [0, 1)
  AdamOptions alpha_optimizer = {};  ///< defaults as in the paper
  PenaltyOptions penalty = {};       ///< cost penalty in the loss of architecture steps
  EarlyStopOptions early_stop = {};
};
inline std::vector<Option> declared(BilevelOptions& o) {
  return {
      option("order", o.order, Range{1, 2}, "order of the gradients of the alphas"),
      option("warmup", o.warmup, Range::from_to_below(0, 1),
             "fraction of the search before alphas are trained"),
      option("alpha_optimizer", o.alpha_optimizer, "Adam, which trains the alphas"),
      option("penalty", o.penalty, "cost penalty in the loss of architecture steps"),
      option("early_stop", o.early_stop, "rules that end the search early"),
  };
}

/// Trains weights and alphas in turns, each on samples of its own, as DARTS does (Liu et al., ICLR
/// 2019): a step is
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
class BilevelTrainer : public OneShotTrainer {
 public:
  /// `mutator` is bound to setup.network and must outlive the trainer. Throws where an option is
  /// out of range, and where the mutator has no parameters to learn.
  BilevelTrainer(const SearchSetup& setup, Mutator& mutator, const BilevelOptions& options);

  StepStats train_step(int64_t epoch, int64_t i) override;

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

  BilevelOptions options_;
  LossPenalty penalised_;
  Optimizer alpha_optimizer_;
  EarlyStop early_stop_;
};

}  // namespace retia
