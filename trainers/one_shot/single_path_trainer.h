#pragma once

#include "retia/engine/experiment/strategy.h"
#include "retia/engine/io/option.h"
#include "retia/trainers/one_shot/one_shot_trainer.h"
#include "retia/trainers/one_shot/penalty.h"

namespace retia {

/// The options of training single paths and of the search at the end.
struct SinglePathOptions {
  int64_t paths_per_step = 1;   ///< paths whose gradients are added in one step, ≥ 1
  int64_t n_candidates = 1000;  ///< largest number of architectures scored at the end, ≥ 1
  int64_t n_top = 10;           ///< number of best architectures that are kept, ≥ 1
  /// Training batches that recalibrate each architecture's batch normalisations; 0: none.
  int64_t recalibration_batches = 20;
  PenaltyOptions penalty = {};  ///< cost penalty of the accuracy by which they are scored
};
inline std::vector<Option> declared(SinglePathOptions& o) {
  return {
      option("paths_per_step", o.paths_per_step, Range{1, 1e6},
             "paths whose gradients are added in one step"),
      option("n_candidates", o.n_candidates, Range{1, 1e9},
             "most architectures that are scored at the end"),
      option("n_top", o.n_top, Range{1, 1e9}, "best architectures that are kept"),
      option("recalibration_batches", o.recalibration_batches, Range{0, 1e9},
             "batches to recalibrate batch normalisations by; 0: none"),
      option("penalty", o.penalty, "cost penalty of the accuracy by which they are scored"),
  };
}

/// Makes the strategy that searches the space of a trained supernet.
using MakeStrategy = std::function<std::unique_ptr<Strategy>(const ir::Graph& space)>;

/// Trains, in each step, the path that the mutator samples, or several paths with their gradients
/// added (Guo et al., ECCV 2020; Chu et al., ICCV 2021). The architecture is then found by a
/// multi-trial search: the proposal of a strategy with the best validation score, using inherited
/// weights.
class SinglePathTrainer final : public OneShotTrainer {
 public:
  /// `mutator` is bound to setup.network and must outlive the trainer. Calls `make_strategy` once
  /// now, so that what is wrong throws before the training.
  SinglePathTrainer(const SearchSetup& setup, Mutator& mutator, MakeStrategy make_strategy,
                    const SinglePathOptions& options);

  std::optional<FinalSearch> final_search() override;

  StepStats train_step(int64_t epoch, int64_t i) override;

 private:
  MakeStrategy make_strategy_;
  SinglePathOptions options_;
  RewardPenalty penalised_;
};

}  // namespace retia
