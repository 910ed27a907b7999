#pragma once

#include "retia/mutators/policy_mutator.h"
#include "retia/trainers/one_shot/one_shot_trainer.h"
#include "retia/trainers/one_shot/penalty.h"
#include "retia/trainers/one_shot/reinforce.h"

namespace retia {

struct EnasOptions {
  int64_t controller_steps = 50;  ///< controller updates after each epoch of the weights, ≥ 0
  int64_t aggregate = 20;         ///< sampled architectures per update, ≥ 1
  double entropy_weight = 1e-4;   ///< weight of the policy's entropy in the reward
  double skip_weight = 0.8;       ///< weight of the controller's penalty on the number of skips
  double baseline_decay = 0.999;  ///< decay of the moving average of rewards
  double controller_lr = 3.5e-4;  ///< learning rate of Adam
  double controller_clip = 5;     ///< largest norm of the controller's gradient; 0: no clipping
  int64_t n_candidates = 10;  ///< architectures sampled at the end, besides the likeliest, ≥ 0
  /// Batches to recalibrate each one's batch normalisations; 0: none.
  int64_t recalibration_batches = 20;
  PenaltyOptions penalty = {};  ///< cost penalty of the reward, and of the scores at the end
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(EnasOptions, controller_steps, aggregate,
                                                entropy_weight, skip_weight, baseline_decay,
                                                controller_lr, controller_clip, n_candidates,
                                                recalibration_batches, penalty)

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
  EnasTrainer(const SearchSetup& setup, PolicyMutator& policy, const EnasOptions& options);

  /// Returns a search over the likeliest architecture and `n_candidates` sampled ones; each
  /// distinct one is scored with the weights it inherits.
  std::optional<FinalSearch> final_search() override;

  /// Trains the weights on `train`, then updates the controller with one architecture. Returns the
  /// statistics of the weight step.
  StepStats train_step(const Batch& train, const Batch& valid) override;

  double baseline() const { return reinforce_.baseline(); }

 private:
  int64_t steps_per_epoch() const override;
  StepStats step_of_epoch(int64_t epoch, int64_t i) override;
  /// Scores the architecture sampled last, with the weights it inherits; early in the search the
  /// likeliest architecture is seldom trained.
  std::optional<Score> validate() override;
  void save(Checkpoint& checkpoint) override;
  void load(const Checkpoint& checkpoint) override;

  StepStats step_weights_on_path(const Batch& train);
  /// Updates the controller with `n` architectures; `next_batch` returns a validation batch for
  /// each.
  StepStats step_controller(int64_t n, const std::function<Batch()>& next_batch);
  double accuracy(const Batch& batch);
  Score score(const Architecture& architecture);

  PolicyMutator& policy_;
  EnasOptions options_;
  RewardPenalty penalised_;
  Reinforce reinforce_;
  Optimizer controller_optimizer_;
};

}  // namespace retia
