#include "retia/trainers/evaluators/regression.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>

#include "retia/engine/base/precision.h"
#include "retia/engine/ir/infer.h"
#include "retia/trainers/evaluators/divergence.h"
#include "retia/trainers/evaluators/merged_training.h"

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
                                         at::ScalarType dtype, Executor executor)
    : options_(options), device_(device), dtype_(dtype), executor_(executor) {
  check_declared(options, "evaluator 'regression'");
  set_ = data_sets.load(options.data).train.to(device);
  TORCH_CHECK(set_.n_classes == 0, "evaluator 'regression': the data set '", set_.name,
              "' holds classes: give one of numbers, e.g. --data csv --set "
              "data.csv.task=regression, or --evaluator classification");
  split_ = split_of(set_, options.data.valid_fraction, options.seed);
  TORCH_CHECK(!split_.valid.empty() && !split_.train.empty(),
              "evaluator 'regression': ", set_.size(),
              " samples are too few to hold out a part of ", options.data.valid_fraction);
  const at::Tensor known = set_.subset(split_.train).targets.to(at::kDouble);
  mean_ = known.mean().item<double>();
  deviation_ = known.std(/*unbiased=*/false).item<double>();
  deviation_ = deviation_ > 0 ? deviation_ : 1;
  set_.targets = ((set_.targets.to(at::kDouble) - mean_) / deviation_).to(set_.targets.dtype());
}

std::vector<Objective> RegressionEvaluator::objectives() const {
  const bool more_is_better = options_.metric == RegressionMetric::R2;
  return {{Json(options_.metric), more_is_better ? Direction::Maximise : Direction::Minimise}};
}

Network RegressionEvaluator::network_of(const ir::Graph& model) const {
  const Shape shape = ir::infer(model).at(model.outputs().front().wire.node);
  TORCH_CHECK(ir::always_equal(shape, {1}), "the model's output has shape ", ir::to_string(shape),
              ", expected [1], the prediction");
  Network network(model, options_.seed);
  network->to(device_, stored_in(dtype_));
  network->set_precision(dtype_);
  network->set_executor(executor_);
  return network;
}

TrialTraining RegressionEvaluator::training() const {
  const bool fills_a_batch = static_cast<int64_t>(split_.train.size()) >= options_.batch_size;
  const Batches train(set_, split_.train,
                      {.batch_size = options_.batch_size,
                       .seed = options_.seed,
                       .last = fills_a_batch ? LastBatch::Drop : LastBatch::Keep,
                       .device = device_,
                       .dtype = stored_in(dtype_)});
  return {.train = train,
          .valid = std::nullopt,
          .epochs = options_.epochs,
          .weight_optimizer = options_.weight_optimizer,
          .intermediate = options_.intermediate,
          .keep_weights = options_.keep_weights,
          .direction = objectives().front().direction};
}

Evaluation RegressionEvaluator::evaluate(const Trial& trial) {
  Network network = network_of(*trial.model);
  TrialTraining how = training();
  std::optional<Evaluation> scored;
  if (wants_intermediate(how, trial)) {
    how.score = [&](const EpochReport&) {
      scored = score(network);
      return scored->objectives.front();
    };
  }
  return unless_it_diverges([&] {
    const auto trained = train_trial(network, how, trial);
    return trained ? with_course(scored ? *scored : score(network), *trained)
                   : Evaluation{.status = TrialStatus::Stopped};
  });
}

std::optional<std::vector<Evaluation>> RegressionEvaluator::evaluate_merged(
    std::span<const Trial> trials) {
  std::vector<Network> networks;
  for (const Trial& trial : trials) {
    networks.push_back(network_of(*trial.model));
  }
  return retia::evaluate_merged(
      std::move(networks), training(), trials,
      [this](Network& network, const EpochReport&) { return score(network); });
}

Evaluation RegressionEvaluator::score(Network& network) const {
  const Batches valid(set_, split_.valid,
                      {.batch_size = options_.batch_size,
                       .order = SampleOrder::Given,
                       .device = device_,
                       .dtype = stored_in(dtype_)});
  const at::NoGradGuard no_grad;
  network->eval();
  std::vector<at::Tensor> predictions, targets;
  for (int64_t i = 0; i < valid.n_batches(); ++i) {
    const Batch batch = valid.batch(0, i);
    predictions.push_back(network->forward(batch.inputs).squeeze(1).to(at::kDouble));
    targets.push_back(batch.targets.to(at::kDouble));
  }
  const auto restored = [&](const std::vector<at::Tensor>& parts) {
    return at::cat(parts) * deviation_ + mean_;
  };
  const at::Tensor y = restored(targets), predicted = restored(predictions);
  const RegressionScore found = score_regression(predicted, y);
  const double objective = options_.metric == RegressionMetric::Mse   ? found.mse
                           : options_.metric == RegressionMetric::Mae ? found.mae
                                                                      : found.r2;
  return marked({.objectives = {objective},
                 .metrics = {{"mse", found.mse},
                             {"mae", found.mae},
                             {"r2", found.r2},
                             {"parameters", static_cast<double>(n_parameters(*network))}}},
                divergence_of(predicted, y, deviation_ * deviation_));
}

Json RegressionEvaluator::to_json() const {
  return {{"name", "regression"}, {"options", options_}};
}

}  // namespace retia
