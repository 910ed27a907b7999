#pragma once

#include "engine/executor/merged_network.h"
#include "trainers/trainer.h"

namespace retia {

/// Trains several models on the same batches at once, each as SupervisedTrainer trains it alone, to
/// rounding: each by its own loss, its gradients clipped by their own norm. What it reports itself
/// are means over the models; so a loss that is not finite in one of them ends the training of all
/// by an exception.
class MergedTrainer final : public Trainer {
 public:
  /// valid: what the models are scored on; none: nothing.
  MergedTrainer(MergedNetwork merged, Batches train, std::optional<Batches> valid,
                const TrainerOptions& options, const SgdOptions& weight_optimizer);

  /// Of the last epoch, one a model.
  const std::vector<EpochReport>& reports() const { return reports_; }

 private:
  StepStats train_step(int64_t epoch, int64_t i) override;
  std::optional<Score> validate() override;
  void end_epoch(EpochReport& report) override;

  /// The first dimension apart: [batch, models * k] -> [batch, models, k].
  at::Tensor by_model(const at::Tensor& output) const;
  void clip(Gradients& gradients) const;

  MergedNetwork merged_;
  std::optional<Batches> valid_;
  double gradient_clip_;
  at::Tensor model_of_row_;    // of all parameters, int64
  std::vector<int64_t> rows_;  // of each parameter
  at::Tensor loss_, correct_;  // summed over the samples of the epoch: [models]
  std::vector<EpochReport> reports_;
};

}  // namespace retia
