#include "retia/trainers/one_shot/enas_trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "retia/engine/space/freeze.h"
#include "retia/mutators/enas.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"

namespace retia {
namespace {

using testing::HasSubstr;

constexpr EnasOptions kQuickController = {
    .controller_steps = 4, .aggregate = 3, .controller_lr = 0.01};

/// A search by `options` and what it reports.
struct EnasRun {
  explicit EnasRun(const EnasOptions& options, int64_t epochs = 1)
      : setup(small_search(epochs)),
        mutator(*setup.network, {.seed = 5}),
        trainer(setup, mutator, options) {}

  SearchSetup setup;
  EnasMutator mutator;
  EnasTrainer trainer;
  Recorder recorder;
};

void expect_equal(const NamedTensors& a, const NamedTensors& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) {
    EXPECT_TRUE(at::equal(tensor, b.at(name))) << name;
  }
}

TEST(EnasTrainer, ResumesBitForBit) {
  const auto make = [] {
    const SearchSetup setup = small_search(3);  // 7 steps of the weights, then 4 of the controller
    auto mutator = std::make_unique<EnasMutator>(*setup.network, EnasMutatorOptions{.seed = 5});
    auto trainer = std::make_unique<EnasTrainer>(setup, *mutator, kQuickController);
    return TrainingRun{std::move(mutator), std::move(trainer)};
  };
  expect_resumes_exactly(make, 4);   // among the weights' steps of the first epoch
  expect_resumes_exactly(make, 7);   // before the controller's
  expect_resumes_exactly(make, 9);   // among them
  expect_resumes_exactly(make, 11);  // between two epochs
  expect_resumes_exactly(make, 20);  // among the controller's of the second
}

TEST(EnasTrainer, ReportsTheWeightsStepsOnly) {
  EnasRun with(kQuickController), without({.controller_steps = 0});
  EXPECT_EQ(with.trainer.fit(with.recorder, nullptr), Ending::Finished);
  without.trainer.fit(without.recorder, nullptr);
  EXPECT_EQ(with.trainer.steps_done(), 11);
  EXPECT_EQ(without.trainer.steps_done(), 7);
  EXPECT_EQ(with.recorder.epochs[0].loss, without.recorder.epochs[0].loss);
  EXPECT_EQ(with.recorder.epochs[0].accuracy, without.recorder.epochs[0].accuracy);
  EXPECT_EQ(with.recorder.reports[10].at("loss"), with.recorder.reports[6].at("loss"));
  EXPECT_EQ(with.recorder.reports[10].at("steps"), 11);
}

TEST(EnasTrainer, LeavesTheNetworkAloneInTheControllersSteps) {
  EnasRun with(kQuickController), without({.controller_steps = 0});
  with.trainer.fit(with.recorder, nullptr);
  without.trainer.fit(without.recorder, nullptr);
  expect_equal(copies_of(weights_of(*with.setup.network)),
               copies_of(weights_of(*without.setup.network)));
  for (const auto& item : with.setup.network->named_parameters()) {
    EXPECT_FALSE(item.value().grad().defined()) << item.key();
  }
  EXPECT_NE(with.trainer.baseline(), 0);
}

TEST(EnasTrainer, LeavesTheControllerAloneInTheWeightsSteps) {
  EnasRun run({.controller_steps = 0});
  const NamedTensors before = copies_of(weights_of(run.mutator));
  run.trainer.fit(run.recorder, nullptr);
  expect_equal(copies_of(weights_of(run.mutator)), before);
  EXPECT_EQ(run.trainer.baseline(), 0);
}

TEST(EnasTrainer, StepsTheControllerByAdamOnTheClippedGradient) {
  const EnasOptions options = {
      .aggregate = 1, .entropy_weight = 0, .controller_lr = 0.02, .controller_clip = 1e-3};
  SearchSetup setup{.network = Network(stripes_space(), 1),
                    .train = stripe_batches(16, 2, 8, at::kDouble),
                    .valid = stripe_batches(16, 3, 8, at::kDouble)};
  setup.network->to(at::kDouble);
  EnasMutator mutator(*setup.network, {.lstm_size = 8, .seed = 5});
  EnasTrainer trainer(setup, mutator, options);
  const NamedTensors before = copies_of(weights_of(mutator));
  setup.network->train();
  trainer.train_step(0, 0);                        // of the weights
  trainer.train_step(0, setup.train.n_batches());  // of the controller
  const NamedTensors after = copies_of(weights_of(mutator));
  copy_weights(before, mutator);
  const double reward = trainer.baseline() / 0.001;
  EXPECT_GT(reward, 0);
  const PolicyTerms terms = mutator.terms(mutator.current());
  (0.8 * terms.penalty - 0.999 * reward * terms.log_prob).backward();
  double square = 0;
  for (const at::Tensor& parameter : mutator.parameters()) {
    square += parameter.grad().defined() ? parameter.grad().pow(2).sum().item<double>() : 0;
  }
  const double scale = 1e-3 / (std::sqrt(square) + 1e-6);
  EXPECT_LT(scale, 1);
  for (const auto& [name, parameter] : named_parameters(mutator)) {
    const at::Tensor& gradient = parameter.grad();
    const at::Tensor step = 0.02 * scale * gradient / (scale * gradient.abs() + 1e-8);
    EXPECT_TRUE(at::allclose(before.at(name) - after.at(name), step, 1e-6, 1e-9)) << name;
  }
}

TEST(EnasTrainer, RewardsTheAccuracyOnTheBatchNormalisedByItself) {
  EnasRun run({.controller_steps = 12, .aggregate = 1, .entropy_weight = 0, .baseline_decay = 0});
  run.setup.network->train();
  std::set<double> seen;
  for (int64_t i = 0; i < 12; ++i) {
    const Batch valid = run.setup.valid.batch(i / 3, i % 3);
    const StepStats stats = run.trainer.train_step(0, i % 7);
    EXPECT_EQ(stats.n_samples, run.setup.train.batch(0, i % 7).size());
    run.trainer.train_step(0, 7 + i);
    const at::NoGradGuard no_grad;
    Network network = run.setup.network;  // under the architecture that was sampled last
    const at::Tensor correct = network->forward(valid.inputs).argmax(1).eq(valid.targets);
    const double accuracy =
        static_cast<double>(correct.sum().item<int64_t>()) / static_cast<double>(valid.size());
    EXPECT_DOUBLE_EQ(run.trainer.baseline(), accuracy);
    seen.insert(accuracy);
  }
  EXPECT_GE(seen.size(), 2);
}

TEST(EnasTrainer, ExportsTheBestOfTheLikeliestAndTheSampledArchitectures) {
  EnasRun run(
      {.controller_steps = 2, .aggregate = 2, .n_candidates = 80, .recalibration_batches = 3});
  run.trainer.fit(run.recorder, nullptr);
  const auto accuracy = [&](const Architecture& architecture) {
    Network model = inherit(run.setup.network, architecture);
    recalibrate(model, run.setup.train, 3);
    return score_of(model, run.setup.valid).accuracy;
  };
  double best = 0;
  for (int64_t op = 0; op < 4; ++op) {
    for (int64_t input = 0; input < 2; ++input) {
      best = std::max(best, accuracy({{"op", {{op}}}, {"mixed", {{input}}}}));
    }
  }
  EXPECT_EQ(accuracy(run.trainer.export_architecture()), best);
  const Score& score = run.recorder.epochs.back().validation.value();
  EXPECT_EQ(score.accuracy, accuracy(run.mutator.current()));  // of the last one sampled
  EXPECT_EQ(score.n_samples, 20);
}

TEST(EnasTrainer, ExportsTheLikeliestArchitectureWhereNoneIsSampled) {
  EnasRun run({.n_candidates = 0});
  const ir::Graph& space = run.setup.network->graph();
  EXPECT_EQ(ir::canonical(space, run.trainer.export_architecture()),
            ir::canonical(space, run.mutator.export_architecture()));
}

TEST(EnasTrainer, ExportsWithoutChangingAnything) {
  EnasRun run(kQuickController);
  run.mutator.reset();
  run.setup.network->train();
  const NamedTensors network = copies_of(weights_of(*run.setup.network)),
                     policy = copies_of(weights_of(run.mutator));
  const Json state = run.mutator.state();
  const Architecture current = run.mutator.current();
  const Architecture exported = run.trainer.export_architecture();
  EXPECT_EQ(run.trainer.export_architecture(), exported);
  EXPECT_EQ(run.mutator.state(), state);
  EXPECT_EQ(run.mutator.current(), current);
  EXPECT_TRUE(run.setup.network->is_training());
  expect_equal(copies_of(weights_of(*run.setup.network)), network);
  expect_equal(copies_of(weights_of(run.mutator)), policy);
}

TEST(EnasTrainer, RefusesOptionsOutOfRange) {
  const auto error = [](const EnasOptions& options) { return error_of([&] { EnasRun{options}; }); };
  EXPECT_THAT(error({.controller_steps = -1}), HasSubstr("controller_steps must be at least 0"));
  EXPECT_THAT(error({.aggregate = 0}), HasSubstr("aggregate must be at least 1, got 0"));
  EXPECT_THAT(error({.skip_weight = -1}), HasSubstr("skip_weight must be at least 0, got -1"));
  EXPECT_THAT(error({.controller_clip = -1}), HasSubstr("controller_clip must be at least 0"));
  EXPECT_THAT(error({.n_candidates = -1}), HasSubstr("n_candidates must be at least 0, got -1"));
  EXPECT_THAT(error({.recalibration_batches = -1}), HasSubstr("recalibration_batches must be"));
}

TEST(EnasTrainer, RefusesASpaceWithoutAChoice) {
  SearchSetup setup = small_search(1);
  setup.network = Network(
      [] {
        Builder b("net");
        const Wire x = b.add("mean", ops::global_mean(), {b.input("x", {1, 6, 6})});
        b.output("y", b.add("head", ops::linear({.out = 2}), {x}));
        return b.finish();
      }(),
      1);
  EnasMutator mutator(*setup.network, {});
  EXPECT_THAT(error_of([&] { EnasTrainer(setup, mutator, {}); }),
              HasSubstr("enas has nothing to learn"));
}

}  // namespace
}  // namespace retia
