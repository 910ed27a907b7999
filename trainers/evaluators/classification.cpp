#include "retia/trainers/evaluators/classification.h"

#include "retia/engine/base/precision.h"
#include "retia/engine/ir/infer.h"
#include "retia/trainers/evaluators/divergence.h"
#include "retia/trainers/evaluators/merged_training.h"

namespace retia {
namespace {

void check_output(const ir::Graph& model, int64_t n_classes) {
  const Shape shape = ir::infer(model).at(model.outputs().front().wire.node);
  TORCH_CHECK(ir::always_equal(shape, {n_classes}), "the model's output has shape ",
              ir::to_string(shape), ", expected [", n_classes, "], one number a class");
}

Evaluation evaluation_of(const EpochReport& last, const Network& network, int64_t n_classes) {
  const Score score = last.validation.value();
  return marked({.objectives = {score.accuracy},
                 .metrics = {{"loss", score.loss},
                             {"train_loss", last.loss},
                             {"train_accuracy", last.accuracy},
                             {"parameters", static_cast<double>(n_parameters(*network))}}},
                divergence_of(last, n_classes));
}

}  // namespace

ClassificationEvaluator::ClassificationEvaluator(const ClassificationOptions& options,
                                                 const DataSets& data_sets, at::Device device,
                                                 at::ScalarType dtype, Executor executor)
    : options_(options), device_(device), dtype_(dtype), executor_(executor) {
  check_declared(options, "evaluator 'classification'");
  set_ = data_sets.load(options.data).train.to(device);
  TORCH_CHECK(set_.n_classes > 0, "evaluator 'classification': the data set '", set_.name,
              "' has no classes: give another");
  split_ = split_of(set_, options.data.valid_fraction, options.seed);
  TORCH_CHECK(!split_.valid.empty() && !split_.train.empty(),
              "evaluator 'classification': ", set_.size(),
              " samples are too few to hold out a part of ", options.data.valid_fraction);
}

Network ClassificationEvaluator::network_of(const ir::Graph& model) const {
  check_output(model, set_.n_classes);
  Network network(model, options_.seed);
  network->to(device_, stored_in(dtype_));
  network->set_precision(dtype_);
  network->set_executor(executor_);
  return network;
}

TrialTraining ClassificationEvaluator::training() const {
  const bool fills_a_batch = static_cast<int64_t>(split_.train.size()) >= options_.batch_size;
  const Batches train(set_, split_.train,
                      {.batch_size = options_.batch_size,
                       .seed = options_.seed,
                       .last = fills_a_batch ? LastBatch::Drop : LastBatch::Keep,
                       .augment = options_.data.augment,
                       .device = device_,
                       .dtype = stored_in(dtype_)});
  const Batches valid(set_, split_.valid,
                      {.batch_size = options_.batch_size,
                       .order = SampleOrder::Given,
                       .device = device_,
                       .dtype = stored_in(dtype_)});
  return {.train = train,
          .valid = valid,
          .epochs = options_.epochs,
          .weight_optimizer = options_.weight_optimizer,
          .intermediate = options_.intermediate,
          .keep_weights = options_.keep_weights};
}

Evaluation ClassificationEvaluator::evaluate(const Trial& trial) {
  const Network network = network_of(*trial.model);
  TrialTraining how = training();
  if (wants_intermediate(how, trial)) {
    how.score = [](const EpochReport& report) { return report.validation->accuracy; };
  }
  return unless_it_diverges([&] {
    const auto trained = train_trial(network, how, trial);
    return trained ? with_course(evaluation_of(trained->last, network, set_.n_classes), *trained)
                   : Evaluation{.status = TrialStatus::Stopped};
  });
}

std::optional<std::vector<Evaluation>> ClassificationEvaluator::evaluate_merged(
    std::span<const Trial> trials) {
  std::vector<Network> networks;
  for (const Trial& trial : trials) {
    networks.push_back(network_of(*trial.model));
  }
  return retia::evaluate_merged(std::move(networks), training(), trials,
                                [this](const Network& network, const EpochReport& last) {
                                  return evaluation_of(last, network, set_.n_classes);
                                });
}

Json ClassificationEvaluator::to_json() const {
  return {{"name", "classification"}, {"options", options_}};
}

}  // namespace retia
