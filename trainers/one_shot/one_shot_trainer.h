#pragma once

#include "engine/mutator.h"
#include "trainers/trainer.h"

namespace retia {

/// What a one-shot search works on.
struct SearchSetup {
  Network network;  ///< the supernet, on its device
  Batches train;    ///< trains the weights
  Batches valid;    ///< trains, or scores, the architecture
  TrainerOptions trainer = {};
  SgdOptions weight_optimizer = {};
  std::optional<Batches> scoring = {};  ///< scores architectures, neither shuffled nor augmented;
                                        ///< none: valid
};

/// Trains a supernet under a mutator. Most methods fill in train_step(train, valid).
class OneShotTrainer : public Trainer {
 public:
  /// `mutator` is bound to setup.network and outlives the trainer.
  OneShotTrainer(const SearchSetup& setup, Mutator& mutator);

  /// The architecture that the search has come to.
  virtual Architecture export_architecture() { return mutator_.export_architecture(); }

  /// One step. Validation batches come round again when they are fewer.
  virtual StepStats train_step(const Batch& train, const Batch& valid) = 0;

 protected:
  Mutator& mutator() { return mutator_; }
  const Batches& scoring_batches() const { return scoring_; }

  void save(Checkpoint& checkpoint) override;
  void load(const Checkpoint& checkpoint) override;

  StepStats train_step(int64_t epoch, int64_t i) override;

 private:
  Mutator& mutator_;
  Batches valid_, scoring_;
};

}  // namespace retia
