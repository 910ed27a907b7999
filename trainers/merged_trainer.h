#pragma once

#include "retia/engine/executor/merged_network.h"
#include "retia/trainers/trainer.h"

namespace retia {

/// Trains several models together on the same batches, each as SupervisedTrainer trains it alone,
/// up to rounding: by its own loss, with gradients clipped by their own norm. Its own reports are
/// means over the models, so a loss that is not finite in one model ends the training of all with
/// an exception.
class MergedTrainer final : public Trainer {
 public:
  /// `valid`: samples for scoring; none: no scoring.
  MergedTrainer(MergedNetwork merged, Batches train, std::optional<Batches> valid,
                const TrainerOptions& options, const SgdOptions& weight_optimizer);

  /// The reports of the last epoch, one per model.
  const std::vector<EpochReport>& reports() const { return reports_; }

  StepStats train_step(int64_t epoch, int64_t i) override;

 private:
  std::optional<Score> validate() override;
  void end_epoch(EpochReport& report) override;

  /// Separates the outputs by model: [batch, models * k] → [batch, models, k].
  at::Tensor by_model(const at::Tensor& output) const;
  void clip(Gradients& gradients) const;

  MergedNetwork merged_;
  std::optional<Batches> valid_;
  double gradient_clip_;
  at::Tensor model_of_row_;    // int64: model of each row of all parameters, concatenated
  std::vector<int64_t> rows_;  // number of rows of each parameter
  at::Tensor loss_, correct_;  // [models], summed over the samples of the epoch
  std::vector<EpochReport> reports_;
};

}  // namespace retia
