#include "retia/trainers/supervised_trainer.h"

namespace retia {

SupervisedTrainer::SupervisedTrainer(Network network, Batches train, std::optional<Batches> valid,
                                     const TrainerOptions& options,
                                     const SgdOptions& weight_optimizer, Ranks* ranks)
    : Trainer(std::move(network), std::move(train), options, weight_optimizer, ranks),
      valid_(std::move(valid)) {}

StepStats SupervisedTrainer::train_step(int64_t epoch, int64_t i) {
  return step_weights(train_batches().batch(epoch, i));
}

std::optional<Score> SupervisedTrainer::validate() {
  return valid_ ? std::optional(score_of(network(), *valid_, ranks())) : std::nullopt;
}

}  // namespace retia
