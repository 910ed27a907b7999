#pragma once

#include "retia/engine/io/option.h"
#include "retia/mutators/policy_mutator.h"
#include "retia/trainers/one_shot/one_shot_trainer.h"
#include "retia/trainers/one_shot/penalty.h"
#include "retia/trainers/one_shot/reinforce.h"

namespace retia {

/// The options of training a supernet and a controller in turns.
struct EnasOptions {
  int64_t controller_steps = 50;  ///< controller updates after each epoch of the weights, ≥ 0
  int64_t aggregate = 20;         ///< sampled architectures per update, ≥ 1
  double entropy_weight = 1e-4;   ///< weight of the policy's entropy in the reward
  double skip_weight = 0.8;       ///< weight of the controller's penalty on the number of skips
  double baseline_decay = 0.999;  ///< decay of the moving average of rewards
  double controller_lr = 3.5e-4;  ///< learning rate of Adam
  double controller_clip = 5;     ///< largest norm of the controller's gradient; 0: no clipping
  int64_t n_candidates = 10;  ///< architectures sampled at the end, besides the likeliest, ≥ 0
  /// Training batches that recalibrate each architecture's batch normalisations; 0: none.
  int64_t recalibration_batches = 20;
  PenaltyOptions penalty = {};  ///< cost penalty of the reward, and of the scores at the end
};
inline std::vector<Option> declared(EnasOptions& o) {
  return {
      option("controller_steps", o.controller_steps, Range{0, 1e9},
             "controller updates after each epoch of the weights"),
      option("aggregate", o.aggregate, Range{1, 1e6}, "sampled architectures of an update"),
      option("entropy_weight", o.entropy_weight, Range{0},
             "weight of the policy's entropy in the reward"),
      option("skip_weight", o.skip_weight, Range{0},
             "weight of the penalty on the number of skips"),
      option("baseline_decay", o.baseline_decay, Range{0, 1},
             "decay of the moving average of rewards"),
      option("controller_lr", o.controller_lr, Range{0, 1e6}, "learning rate of the controller"),
      option("controller_clip", o.controller_clip, Range{0},
             "gradient clipping of the controller by norm; 0: none"),
      option("n_candidates", o.n_candidates, Range{0, 1e9},
             "architectures sampled at the end, besides the likeliest"),
      option("recalibration_batches", o.recalibration_batches, Range{0, 1e9},
             "batches to recalibrate batch normalisations by; 0: none"),
      option("penalty", o.penalty, "cost penalty of the reward"),
  };
}

/// ENAS (Pham et al., ICML 2018): an epoch trains the weights, each batch on a path sampled by the
/// controller, and then the controller by REINFORCE (see Reinforce). The reward of an architecture
/// is its accuracy on one validation batch, normalised by the batch's statistics, since running
/// statistics mix all paths; the running statistics are not changed. With a penalty the reward is
/// the penalised accuracy. Works with every PolicyMutator.
///
/// Controller steps report no samples, so the loss and the accuracy of an epoch are those of the
/// weight steps.
class EnasTrainer final : public OneShotTrainer {
 public:
  /// `policy` is bound to setup.network and must outlive the trainer. Throws where an option is out
  /// of range, and where the space has no choice.
  EnasTrainer(const SearchSetup& setup, PolicyMutator& policy, const EnasOptions& options);

  /// Returns a search over the likeliest architecture and `n_candidates` sampled ones; each
  /// distinct one is scored with the weights it inherits.
  std::optional<FinalSearch> final_search() override;

  StepStats train_step(int64_t epoch, int64_t i) override;
  int64_t steps_per_epoch() const override;

  /// Returns the moving average of the rewards (see Reinforce).
  double baseline() const { return reinforce_.baseline(); }

 private:
  /// Scores the architecture sampled last, with the weights it inherits; early in the search the
  /// likeliest architecture is seldom trained.
  std::optional<Score> validate() override;
  void save(Checkpoint& checkpoint) override;
  void load(const Checkpoint& checkpoint) override;

  /// Updates the controller with `aggregate` architectures, each rewarded on the next validation
  /// batch from number `first` on.
  StepStats step_controller(int64_t first);
  double accuracy(const Batch& batch);
  Score score(const Architecture& architecture);

  PolicyMutator& policy_;
  EnasOptions options_;
  RewardPenalty penalised_;
  Reinforce reinforce_;
  Optimizer controller_optimizer_;
};

}  // namespace retia
