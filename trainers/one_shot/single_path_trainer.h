#pragma once

#include "engine/strategy.h"
#include "trainers/one_shot/one_shot_trainer.h"
#include "trainers/one_shot/penalty.h"

namespace retia {

struct SinglePathOptions {
  int64_t paths_per_step = 1;          ///< whose gradients are added to one step, ≥ 1
  int64_t n_candidates = 1000;         ///< architectures scored at the end, at most, ≥ 1
  int64_t n_top = 10;                  ///< the best of them that are worth keeping, ≥ 1
  int64_t recalibration_batches = 20;  ///< for the batch norms of each; 0: none
  PenaltyOptions penalty = {};         ///< of the accuracy they are scored by
};

/// Makes what searches the space of a trained supernet.
using MakeStrategy = std::function<std::unique_ptr<Strategy>(const ir::Graph& space)>;

/// Each step trains the path that the mutator samples, or several with their gradients added (Guo
/// et al., ECCV 2020; Chu et al., ICCV 2021). The architecture is then searched by trials: the best
/// on the validation set of those that a strategy proposes, each with the weights it inherits.
class SinglePathTrainer final : public OneShotTrainer {
 public:
  SinglePathTrainer(const SearchSetup& setup, Mutator& mutator, MakeStrategy make_strategy,
                    const SinglePathOptions& options);

  std::optional<FinalSearch> final_search() override;

  StepStats train_step(const Batch& train, const Batch& valid) override;

 private:
  /// Makes no validation batch, which no step needs.
  StepStats step_of_epoch(int64_t epoch, int64_t i) override;

  MakeStrategy make_strategy_;
  SinglePathOptions options_;
  RewardPenalty penalised_;
};

}  // namespace retia
