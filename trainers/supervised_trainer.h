#pragma once

#include "retia/trainers/trainer.h"

namespace retia {

/// Trains a model as it is: a frozen model, or a supernet whose mutator the caller keeps.
class SupervisedTrainer final : public Trainer {
 public:
  /// `valid`: samples that score the model during training; none: no scoring.
  SupervisedTrainer(Network network, Batches train, std::optional<Batches> valid,
                    const TrainerOptions& options, const SgdOptions& weight_optimizer,
                    Ranks* ranks = nullptr);

  StepStats train_step(int64_t epoch, int64_t i) override;

 private:
  std::optional<Score> validate() override;

  std::optional<Batches> valid_;
};

}  // namespace retia
