#include "retia/trainers/one_shot/bilevel_trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "retia/models/darts_cnn.h"
#include "retia/mutators/darts.h"
#include "retia/mutators/spos.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"

namespace retia {
namespace {

using testing::HasSubstr;

TrainingRun make_darts() {
  const SearchSetup setup = small_search(3);
  auto mutator = std::make_unique<DartsMutator>(*setup.network, AlphaOptions{.seed = 5});
  auto trainer = std::make_unique<BilevelTrainer>(setup, *mutator,
                                                  BilevelOptions{.alpha_optimizer = {.lr = 0.05}});
  return {std::move(mutator), std::move(trainer)};
}

TEST(BilevelTrainer, ResumesBitForBit) {
  expect_resumes_exactly(make_darts, 4);   // in the first epoch
  expect_resumes_exactly(make_darts, 7);   // between two
  expect_resumes_exactly(make_darts, 10);  // in the second
}

TEST(BilevelTrainer, StepsAlphasOnTheValidationLossThenWeightsOnTheTrainingLoss) {
  const AdamOptions adam = {.lr = 0.1, .beta1 = 0.5, .weight_decay = 0.01};
  const SgdOptions sgd = {.lr = 0.2, .momentum = 0, .weight_decay = 0.03, .gradient_clip = 0.05};
  SearchSetup setup = double_search();
  setup.weight_optimizer = sgd;
  const Batch train = setup.train.batch(0, 0);
  const Batch valid = setup.valid.batch(0, 0);
  DartsMutator mutator(*setup.network, {.alpha_scale = 0.5, .seed = 5});
  BilevelTrainer trainer(setup, mutator, {.alpha_optimizer = adam});
  setup.network->train();
  trainer.train_step(0, 0);

  const SearchSetup twin = double_search();
  DartsMutator twin_mutator(*twin.network, {.alpha_scale = 0.5, .seed = 5});
  Network network = twin.network;
  twin_mutator.reset();
  const auto loss = [&](const Batch& batch) {
    return at::cross_entropy_loss(network->forward(batch.inputs), batch.targets);
  };
  loss(valid).backward();
  for (const auto& [name, alpha] : named_parameters(twin_mutator)) {
    const at::NoGradGuard no_grad;
    const at::Tensor gradient = alpha.grad() + adam.weight_decay * alpha;
    at::Tensor target = alpha;
    target -= adam.lr * gradient / (gradient.abs() + 1e-8);  // Adam's first step
  }
  network->zero_grad();
  loss(train).backward();
  double square = 0;
  for (const at::Tensor& weight : network->parameters()) {
    square += weight.grad().pow(2).sum().item<double>();
  }
  const double scale = std::min(1.0, sgd.gradient_clip / (std::sqrt(square) + 1e-6));
  EXPECT_LT(scale, 1);
  for (const auto& [name, weight] : named_parameters(*network)) {
    const at::NoGradGuard no_grad;
    at::Tensor target = weight;
    target -= sgd.lr * (scale * weight.grad() + sgd.weight_decay * weight);
  }
  const NamedTensors alphas = named_parameters(mutator);
  for (const auto& [name, expected] : named_parameters(twin_mutator)) {
    EXPECT_TRUE(at::allclose(alphas.at(name), expected, 1e-9, 1e-12)) << name;
  }
  const NamedTensors weights = named_parameters(*setup.network);
  for (const auto& [name, expected] : named_parameters(*network)) {
    EXPECT_TRUE(at::allclose(weights.at(name), expected, 1e-9, 1e-12)) << name;
  }
}

TEST(BilevelTrainer, LeavesWeightsAndTheirGradientsAloneWhenItStepsAlphas) {
  SearchSetup setup = double_search();
  setup.weight_optimizer = {.lr = 0, .final_lr = 0, .weight_decay = 0};
  DartsMutator mutator(*setup.network, {.seed = 5});
  BilevelTrainer trainer(setup, mutator, {});
  const NamedTensors weights = copies_of(named_parameters(*setup.network));
  const NamedTensors alphas = copies_of(named_parameters(mutator));
  trainer.train_step(0, 0);
  for (const auto& [name, weight] : named_parameters(*setup.network)) {
    EXPECT_TRUE(at::equal(weight, weights.at(name))) << name;
    EXPECT_FALSE(weight.grad().defined()) << name;
  }
  for (const auto& [name, alpha] : named_parameters(mutator)) {
    EXPECT_FALSE(at::equal(alpha, alphas.at(name))) << name;
    EXPECT_FALSE(alpha.grad().defined()) << name;
  }
}

TEST(BilevelTrainer, LeavesAlphasAloneWhenItStepsWeights) {
  SearchSetup setup = double_search();
  DartsMutator mutator(*setup.network, {.seed = 5});
  BilevelTrainer trainer(setup, mutator, {.alpha_optimizer = {.lr = 0, .weight_decay = 0}});
  const NamedTensors alphas = copies_of(named_parameters(mutator));
  const NamedTensors weights = copies_of(named_parameters(*setup.network));
  trainer.train_step(0, 0);
  for (const auto& [name, alpha] : named_parameters(mutator)) {
    EXPECT_TRUE(at::equal(alpha, alphas.at(name))) << name;
  }
  for (const auto& [name, weight] : named_parameters(*setup.network)) {
    EXPECT_FALSE(at::equal(weight, weights.at(name))) << name;
    for (const auto& [alpha_name, alpha] : named_parameters(mutator)) {
      EXPECT_FALSE(weight.is_same(alpha)) << alpha_name << " is trained as a weight";
    }
  }
}

TEST(BilevelTrainer, TrainsNoAlphasWhileItWarmsUp) {
  const SearchSetup setup = small_search(2);
  DartsMutator mutator(*setup.network, {.seed = 5});
  const NamedTensors alphas = copies_of(named_parameters(mutator));
  BilevelTrainer trainer(setup, mutator, {.warmup = 0.5});
  Recorder first_epoch(static_cast<int64_t>(setup.train.n_batches()) - 1);
  trainer.fit(first_epoch, nullptr);
  for (const auto& [name, alpha] : named_parameters(mutator)) {
    EXPECT_TRUE(at::equal(alpha, alphas.at(name))) << name;
  }
  Recorder rest;
  trainer.fit(rest, nullptr);
  for (const auto& [name, alpha] : named_parameters(mutator)) {
    EXPECT_FALSE(at::equal(alpha, alphas.at(name))) << name;
  }
}

/// A search of eight epochs, three of which alphas rest, that may end early.
TrainingRun make_ending_early(const EarlyStopOptions& early_stop) {
  const SearchSetup setup = small_search(8);
  auto mutator = std::make_unique<DartsMutator>(*setup.network, AlphaOptions{.seed = 5});
  auto trainer = std::make_unique<BilevelTrainer>(
      setup, *mutator,
      BilevelOptions{.warmup = 0.3, .alpha_optimizer = {.lr = 0.3}, .early_stop = early_stop});
  return {std::move(mutator), std::move(trainer)};
}

TEST(BilevelTrainer, EndsEarlyWhenTheCellKeepsASkipConnection) {
  const TrainingRun run = make_ending_early({.skip_connections = 1});
  for (const auto& [label, skip] : {std::pair("op", 1), std::pair("mixed", 1)}) {
    const at::NoGradGuard no_grad;
    at::Tensor alpha = named_parameters(*run.mutator).at(label);
    alpha[skip] = 30;
  }
  Recorder recorder;
  EXPECT_EQ(run.trainer->fit(recorder, nullptr), Ending::Finished);
  ASSERT_EQ(recorder.epochs.size(), 4) << "not while alphas rest";
  EXPECT_EQ(recorder.epochs.back().note,
            "the search ends early: a normal cell keeps 1 skip connections");
  EXPECT_EQ(recorder.epochs.back().more, (NamedNumbers{{"skip_connections", 1}}));
}

TEST(BilevelTrainer, ScoresTheBlendOnTheValidationSet) {
  const TrainingRun run = make_darts();
  Recorder recorder;
  run.trainer->fit(recorder, nullptr);
  EXPECT_EQ(recorder.epochs.back().validation->n_samples, 20);
}

/// Weights and alphas in float64 after 20 steps.
NamedTensors trained(Executor executor, int64_t order) {
  SearchSetup setup = double_search();
  setup.network = Network(darts_cnn({.channels = 3, .layers = 2, .nodes = 2}, {{1, 6, 6}, 2}), 1);
  setup.network->to(at::kDouble);
  setup.network->set_executor(executor);
  DartsMutator mutator(*setup.network, {.alpha_scale = 0.5, .seed = 5});
  BilevelTrainer trainer(setup, mutator, {.order = order});
  setup.network->train();
  for (int64_t i = 0; i < 20; ++i) {
    trainer.train_step(0, i % 2);
  }
  NamedTensors values = copies_of(named_parameters(*setup.network));
  values.merge(copies_of(named_parameters(mutator)));
  return values;
}

TEST(BilevelTrainer, GoesTheSameWayByTheFusedExecutorAsByTheReference) {
  for (const int64_t order : {1, 2}) {
    const NamedTensors reference = trained(Executor::Reference, order);
    for (const auto& [name, value] : trained(Executor::Fused, order)) {
      EXPECT_TRUE(at::allclose(value, reference.at(name), 1e-9, 1e-9)) << order << " " << name;
    }
  }
}

TEST(BilevelTrainer, RefusesASpaceWithoutAChoiceToBlend) {
  SearchSetup setup = double_search();
  setup.network = Network(
      [] {
        Builder b("net");
        const Wire x = b.add("mean", ops::global_mean(), {b.input("x", {1, 6, 6})});
        b.output("y", b.add("head", ops::linear({.out = 2}), {x}));
        return b.finish();
      }(),
      1);
  DartsMutator mutator(*setup.network, {});
  EXPECT_THAT(error_of([&] { BilevelTrainer(setup, mutator, {}); }), HasSubstr("nothing to learn"));
}

TEST(BilevelTrainer, RefusesAnOrderThatItDoesNotHave) {
  SearchSetup setup = double_search();
  DartsMutator mutator(*setup.network, {});
  EXPECT_THAT(error_of([&] { BilevelTrainer(setup, mutator, {.order = 3}); }),
              HasSubstr("algorithm.order must be at most 2, got 3"));
}

}  // namespace
}  // namespace retia
