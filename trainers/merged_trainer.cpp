#include "retia/trainers/merged_trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

namespace retia {
namespace {

/// output: [batch, models, k]; classes, or numbers where k is 1. -> [batch, models]
at::Tensor losses(const at::Tensor& output, const at::Tensor& targets, double label_smoothing) {
  if (targets.is_floating_point()) {
    return (output.squeeze(2) - targets.unsqueeze(1)).square();
  }
  const int64_t n = output.size(1);
  return at::cross_entropy_loss(output.flatten(0, 1), targets.repeat_interleave(n), {},
                                at::Reduction::None, -100, label_smoothing)
      .unflatten(0, {-1, n});
}

/// Returns the number of samples each model classifies correctly, [models]; zeros for regression.
at::Tensor n_correct_of_each(const at::Tensor& output, const at::Tensor& targets) {
  return targets.is_floating_point()
             ? at::zeros({output.size(1)}, targets.options().dtype(at::kLong))
             : output.argmax(2).eq(targets.unsqueeze(1)).sum(0);
}

SgdOptions without_clipping(SgdOptions options) {
  check_sgd_options(options);
  options.gradient_clip = 0;
  return options;
}

}  // namespace

MergedTrainer::MergedTrainer(MergedNetwork merged, Batches train, std::optional<Batches> valid,
                             const TrainerOptions& options, const SgdOptions& weight_optimizer)
    : Trainer(merged.network(), std::move(train), options, without_clipping(weight_optimizer)),
      merged_(std::move(merged)),
      valid_(std::move(valid)),
      gradient_clip_(weight_optimizer.gradient_clip) {
  TORCH_CHECK(options.accumulate == 1,
              "models that are trained at once do not accumulate gradients: train them one by one");
  std::vector<int64_t> models;
  for (const MergedNetwork::Stacked& stacked : merged_.parameters()) {
    rows_.push_back(static_cast<int64_t>(stacked.members.size()));
    models.insert(models.end(), stacked.members.begin(), stacked.members.end());
  }
  model_of_row_ = at::tensor(models, at::kLong).to(train_batches().options().device);
}

at::Tensor MergedTrainer::by_model(const at::Tensor& output) const {
  return output.unflatten(1, {static_cast<int64_t>(merged_.n_members()), -1});
}

StepStats MergedTrainer::train_step(int64_t epoch, int64_t i) {
  const Batch batch = train_batches().batch(epoch, i);
  const std::vector<at::Tensor> outputs = network()->run(batch.inputs);
  const at::Tensor first = by_model(outputs.front());
  at::Tensor loss = losses(first, batch.targets, options().label_smoothing);
  for (size_t k = 1; k < outputs.size(); ++k) {
    loss = loss + options().auxiliary_weight *
                      losses(by_model(outputs[k]), batch.targets, options().label_smoothing);
  }
  // A model's gradient comes from its own mean over the batch alone.
  Gradients found = gradients(loss.mean(0).sum(), weights());
  const at::NoGradGuard no_grad;
  clip(found);
  step_weights(found);
  const at::Tensor correct = n_correct_of_each(first, batch.targets);
  accumulate(loss_, loss.detach().sum(0, /*keepdim=*/false, at::kDouble));
  accumulate(correct_, correct);
  return {loss.detach().mean(), correct.sum(), batch.size() * first.size(1)};
}

void MergedTrainer::clip(Gradients& gradients) const {
  if (gradient_clip_ <= 0) {
    return;
  }
  std::vector<at::Tensor> norms;
  for (size_t p = 0; p < rows_.size(); ++p) {
    const at::Tensor& value = gradients.values[p];
    norms.push_back(value.defined()
                        ? at::linalg_vector_norm(value.reshape({rows_[p], -1}), 2, {1})
                        : at::zeros({rows_[p]}, gradients.of[p].options().requires_grad(false)));
  }
  if (norms.empty()) {
    return;
  }
  const at::Tensor squares = at::cat(norms).square();
  const at::Tensor norm = at::zeros({static_cast<int64_t>(merged_.n_members())}, squares.options())
                              .index_add_(0, model_of_row_, squares)
                              .sqrt();
  const at::Tensor factors =
      (gradient_clip_ / (norm + 1e-6)).clamp_max(1.0).index_select(0, model_of_row_);
  const std::vector<at::Tensor> of_parameters = factors.split_with_sizes(rows_);
  for (size_t p = 0; p < rows_.size(); ++p) {
    at::Tensor& value = gradients.values[p];
    if (value.defined()) {
      value = (value.reshape({rows_[p], -1}) * of_parameters[p].unsqueeze(1)).view(value.sizes());
    }
  }
}

void MergedTrainer::end_epoch(EpochReport& report) {
  const auto n = static_cast<double>(train_batches().n_samples());
  const at::Tensor loss = loss_.cpu(), correct = correct_.cpu();
  reports_.assign(merged_.n_members(), report);
  for (size_t m = 0; m < reports_.size(); ++m) {
    const auto row = static_cast<int64_t>(m);
    reports_[m].loss = loss[row].item<double>() / n;
    reports_[m].accuracy = static_cast<double>(correct[row].item<int64_t>()) / n;
  }
  loss_ = correct_ = at::Tensor();
}

std::optional<Score> MergedTrainer::validate() {
  if (!valid_) {
    return std::nullopt;
  }
  const at::NoGradGuard no_grad;
  network()->eval();
  at::Tensor loss, correct;
  OutputRange range;
  for (int64_t i = 0; i < valid_->n_batches(); ++i) {
    const Batch batch = valid_->batch(0, i);
    const at::Tensor output = by_model(network()->forward(batch.inputs));
    accumulate(loss, losses(output, batch.targets, 0).sum(0).to(at::kDouble));
    accumulate(correct, n_correct_of_each(output, batch.targets));
    range.add(output);
  }
  const at::Tensor varies = range.varies().cpu();
  const auto n = static_cast<double>(valid_->n_samples());
  loss = loss.cpu();
  correct = correct.cpu();
  Score mean;
  for (size_t m = 0; m < reports_.size(); ++m) {
    const auto row = static_cast<int64_t>(m);
    const Score score{loss[row].item<double>() / n,
                      static_cast<double>(correct[row].item<int64_t>()) / n, valid_->n_samples(),
                      varies[row].item<bool>()};
    reports_[m].validation = score;
    mean.loss += score.loss / static_cast<double>(reports_.size());
    mean.accuracy += score.accuracy / static_cast<double>(reports_.size());
  }
  mean.n_samples = valid_->n_samples();
  return mean;
}

}  // namespace retia
