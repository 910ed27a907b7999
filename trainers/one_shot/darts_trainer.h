#pragma once

#include "trainers/one_shot/one_shot_trainer.h"

namespace retia {

struct DartsOptions {
  int64_t order = 1;                 ///< 1: alpha gradients at the present weights
  AdamOptions alpha_optimizer = {};  ///< the paper's
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(DartsOptions, order, alpha_optimizer)

/// DARTS (Liu et al., ICLR 2019), first order: a step is
///   alpha <- alpha - Adam(grad_alpha L_valid(w, alpha))   and no weight gradient is computed,
///   w     <- w - SGD(grad_w L_train(w, alpha)).
/// For every mutator that blends by parameters of its own.
class DartsTrainer final : public OneShotTrainer {
 public:
  DartsTrainer(const SearchSetup& setup, Mutator& mutator, const DartsOptions& options);

  StepStats train_step(const Batch& train, const Batch& valid) override;

 private:
  std::optional<Score> validate() override;
  void save(Checkpoint& checkpoint) override;
  void load(const Checkpoint& checkpoint) override;

  Optimizer alpha_optimizer_;
};

}  // namespace retia
