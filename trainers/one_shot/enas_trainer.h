#pragma once

#include "mutators/one_shot/policy_mutator.h"
#include "trainers/one_shot/one_shot_trainer.h"
#include "trainers/one_shot/penalty.h"
#include "trainers/one_shot/reinforce.h"

namespace retia {

struct EnasOptions {
  int64_t controller_steps = 50;  ///< updates of the controller after the weights' epoch, ≥ 0
  int64_t aggregate = 20;         ///< sampled architectures of an update, ≥ 1
  double entropy_weight = 1e-4;   ///< of the entropy in the reward
  double skip_weight = 0.8;       ///< of the controller's penalty on the number of skips
  double baseline_decay = 0.999;  ///< of the moving mean of rewards
  double controller_lr = 3.5e-4;  ///< of Adam
  double controller_clip = 5;     ///< largest norm of the controller's gradient; 0: none
  int64_t n_candidates = 10;      ///< architectures sampled at the end, beside the likeliest, ≥ 0
  int64_t recalibration_batches = 20;  ///< for the batch norms of each; 0: none
  PenaltyOptions penalty = {};         ///< of the reward, and of what is scored at the end
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(EnasOptions, controller_steps, aggregate,
                                                entropy_weight, skip_weight, baseline_decay,
                                                controller_lr, controller_clip, n_candidates,
                                                recalibration_batches, penalty)

/// ENAS (Pham et al., ICML 2018): an epoch trains the weights, each batch on a path that the
/// controller samples, and then the controller by REINFORCE (see Reinforce). The reward of an
/// architecture is its accuracy on one validation batch, normalised by the statistics of the batch,
/// for running ones are of all paths together; it leaves those as they are. With a penalty the
/// reward is the penalised accuracy. For every policy.
///
/// Controller steps report no samples, so that loss and accuracy of an epoch are those of the
/// weights' steps.
class EnasTrainer final : public OneShotTrainer {
 public:
  EnasTrainer(const SearchSetup& setup, PolicyMutator& policy, const EnasOptions& options);

  /// Scores the likeliest architecture and `n_candidates` sampled ones, each distinct one with the
  /// weights it inherits.
  std::optional<FinalSearch> final_search() override;

  /// A step of the weights, then an update of the controller by one architecture. Reports the
  /// weights' step.
  StepStats train_step(const Batch& train, const Batch& valid) override;

  double baseline() const { return reinforce_.baseline(); }

 private:
  int64_t steps_per_epoch() const override;
  StepStats step_of_epoch(int64_t epoch, int64_t i) override;
  /// Of the architecture sampled last, with the weights it inherits: the likeliest one is seldom
  /// trained before the controller has made up its mind.
  std::optional<Score> validate() override;
  void save(Checkpoint& checkpoint) override;
  void load(const Checkpoint& checkpoint) override;

  StepStats step_weights_on_path(const Batch& train);
  /// One update by `n` architectures; next_batch gives the validation batch of each.
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
