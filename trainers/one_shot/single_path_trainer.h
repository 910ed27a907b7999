#pragma once

#include "trainers/one_shot/one_shot_trainer.h"

namespace retia {

struct SinglePathOptions {
  int64_t n_candidates = 50;           ///< architectures scored at the end, ≥ 1
  int64_t recalibration_batches = 20;  ///< for the batch norms of each; 0: none
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SinglePathOptions, n_candidates,
                                                recalibration_batches)

/// Each step trains the path that the mutator samples (Guo et al., ECCV 2020); the architecture is
/// then searched at random: the best on the validation set of `n_candidates` sampled ones, each
/// with the weights it inherits (Li and Talwalkar, UAI 2019).
class SinglePathTrainer final : public OneShotTrainer {
 public:
  SinglePathTrainer(const SearchSetup& setup, Mutator& mutator, const SinglePathOptions& options);

  /// Scores the candidates; each distinct one once. The mutator stays as it is.
  Architecture export_architecture() override;

  StepStats train_step(const Batch& train, const Batch& valid) override;

 private:
  /// Makes no validation batch, which no step needs.
  StepStats step_of_epoch(int64_t epoch, int64_t i) override;

  SinglePathOptions options_;
};

}  // namespace retia
