#include "trainers/evaluators/regression.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include "engine/executor/network.h"
#include "engine/ir/infer.h"
#include "trainers/evaluators/trial_training.h"

namespace retia {

RegressionScore score_regression(const at::Tensor& predictions, const at::Tensor& targets) {
  const at::Tensor y = targets.to(at::kDouble);
  const at::Tensor error = predictions.to(at::kDouble) - y;
  RegressionScore score;
  score.mse = error.square().mean().item<double>();
  score.mae = error.abs().mean().item<double>();
  const double variance = (y - y.mean()).square().mean().item<double>();
  score.r2 = variance > 0 ? 1 - score.mse / variance : 0;
  return score;
}

RegressionEvaluator::RegressionEvaluator(const RegressionOptions& options,
                                         const DataSets& data_sets, at::Device device,
                                         at::ScalarType dtype)
    : options_(options), device_(device), dtype_(dtype) {
  TORCH_CHECK(options.data.valid_fraction > 0 && options.data.valid_fraction < 1,
              "evaluator 'regression': valid_fraction must be between 0 and 1, got ",
              options.data.valid_fraction);
  TORCH_CHECK(options.epochs >= 1, "evaluator 'regression': epochs must be at least 1, got ",
              options.epochs);
  set_ = data_sets.load(options.data).train.to(device);
  TORCH_CHECK(set_.n_classes == 0, "evaluator 'regression': the data set '", set_.name,
              "' holds classes: give one of numbers, e.g. --data csv --set "
              "data.csv.task=regression, or --evaluator classification");
  std::tie(valid_, train_) = split_indices(set_.size(), options.data.valid_fraction, options.seed);
  TORCH_CHECK(!valid_.empty() && !train_.empty(), "evaluator 'regression': ", set_.size(),
              " samples are too few to hold out a part of ", options.data.valid_fraction);
  const at::Tensor known = set_.subset(train_).targets.to(at::kDouble);
  mean_ = known.mean().item<double>();
  deviation_ = known.std(/*unbiased=*/false).item<double>();
  deviation_ = deviation_ > 0 ? deviation_ : 1;
  set_.targets = ((set_.targets.to(at::kDouble) - mean_) / deviation_).to(set_.targets.dtype());
}

std::vector<Objective> RegressionEvaluator::objectives() const {
  const bool more_is_better = options_.metric == RegressionMetric::R2;
  return {{Json(options_.metric), more_is_better ? Direction::Maximise : Direction::Minimise}};
}

Evaluation RegressionEvaluator::evaluate(const ir::Graph& model, const Trial& trial) {
  const Shape shape = ir::infer(model).at(model.outputs().front().wire.node);
  TORCH_CHECK(ir::always_equal(shape, {1}), "the model's output has shape ", ir::to_string(shape),
              ", expected [1], the prediction");
  Network network(model, options_.seed);
  network->to(device_, dtype_);
  const bool fills_a_batch = static_cast<int64_t>(train_.size()) >= options_.batch_size;
  const Batches train(set_, train_,
                      {.batch_size = options_.batch_size,
                       .seed = options_.seed,
                       .last = fills_a_batch ? LastBatch::Drop : LastBatch::Keep,
                       .device = device_,
                       .dtype = dtype_});
  const Batches valid(set_, valid_,
                      {.batch_size = options_.batch_size,
                       .order = SampleOrder::Given,
                       .device = device_,
                       .dtype = dtype_});
  TrialTraining training{train, std::nullopt, options_.epochs, options_.weight_optimizer};
  std::optional<RegressionScore> known;
  training.direction = objectives().front().direction;
  if (wants_intermediate(trial, options_.intermediate)) {
    training.score = [&](const EpochReport&) {
      known = score(network, valid);
      return objective(*known);
    };
  }
  const auto trained = train_trial(network, training, trial);
  if (!trained) {
    return {.status = TrialStatus::Stopped};
  }
  const RegressionScore last = known ? *known : score(network, valid);
  Evaluation evaluation{.objectives = {objective(last)},
                        .metrics = {{"mse", last.mse},
                                    {"mae", last.mae},
                                    {"r2", last.r2},
                                    {"parameters", static_cast<double>(n_parameters(*network))}},
                        .intermediate = trained->intermediate};
  if (trained->ended_early) {
    evaluation.metrics["epochs"] = static_cast<double>(trained->last.epoch + 1);
  }
  return evaluation;
}

RegressionScore RegressionEvaluator::score(Network& network, const Batches& batches) const {
  const at::NoGradGuard no_grad;
  network->eval();
  std::vector<at::Tensor> predictions, targets;
  for (int64_t i = 0; i < batches.n_batches(); ++i) {
    const Batch batch = batches.batch(0, i);
    predictions.push_back(network->forward(batch.inputs).squeeze(1).to(at::kDouble));
    targets.push_back(batch.targets.to(at::kDouble));
  }
  const auto restored = [&](const std::vector<at::Tensor>& parts) {
    return at::cat(parts) * deviation_ + mean_;
  };
  return score_regression(restored(predictions), restored(targets));
}

double RegressionEvaluator::objective(const RegressionScore& score) const {
  return options_.metric == RegressionMetric::Mse   ? score.mse
         : options_.metric == RegressionMetric::Mae ? score.mae
                                                    : score.r2;
}

Json RegressionEvaluator::to_json() const {
  return {{"name", "regression"}, {"options", options_}};
}

}  // namespace retia
