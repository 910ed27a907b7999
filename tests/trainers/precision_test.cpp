#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/mutators/darts.h"
#include "retia/tests/engine/distributed/in_ranks.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"
#include "retia/trainers/algorithms.h"
#include "retia/trainers/one_shot/bilevel_trainer.h"
#include "retia/trainers/supervised_trainer.h"

namespace retia {
namespace {

using testing::Each;

/// small_search, layer by layer, since fused operations on the CPU stay in float32.
SearchSetup search_in(at::ScalarType precision, int64_t epochs = 3) {
  SearchSetup setup = small_search(epochs);
  setup.network->set_executor(Executor::Reference);
  setup.network->set_precision(precision);
  return setup;
}

double distance(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

std::vector<at::Tensor> alpha_gradients(at::ScalarType precision, int64_t order) {
  SearchSetup setup = search_in(precision);
  DartsMutator mutator(*setup.network, {.alpha_scale = 0.5, .seed = 5});
  mutator.reset();
  BilevelTrainer trainer(setup, mutator, {.order = order});
  setup.network->train();
  return trainer.alpha_gradients(setup.train.batch(0, 0), setup.valid.batch(0, 0)).values;
}

TEST(TrainingInALowerPrecision, HasUnscaledGradientsOfAlphas) {
  const std::vector<at::Tensor> full = alpha_gradients(at::kFloat, 1);
  for (const at::ScalarType precision : {at::kBFloat16, at::kHalf}) {
    const std::vector<at::Tensor> lower = alpha_gradients(precision, 1);
    for (size_t i = 0; i < full.size(); ++i) {
      EXPECT_EQ(lower[i].scalar_type(), at::kFloat);
      EXPECT_LT(distance(lower[i], full[i]), precision == at::kHalf ? 0.02 : 0.15);
      EXPECT_FALSE(at::equal(lower[i], full[i]));
    }
  }
}

TEST(TrainingInALowerPrecision, TakesSecondOrderStepsInFloat32) {
  const std::vector<at::Tensor> full = alpha_gradients(at::kFloat, 2);
  for (const at::ScalarType precision : {at::kBFloat16, at::kHalf}) {
    const std::vector<at::Tensor> lower = alpha_gradients(precision, 2);
    for (size_t i = 0; i < full.size(); ++i) {
      EXPECT_TRUE(at::allclose(lower[i], full[i], 1e-6, 0));
    }
  }
}

TEST(TrainingInALowerPrecision, ResumesBitForBitInEveryAlgorithm) {
  const std::vector<std::pair<std::string, Json>> methods = {
      {"darts", {{"order", 2}}},
      {"proxyless", {{"warmup", 0}, {"paths", 1}}},
      {"enas", {{"controller_steps", 2}, {"aggregate", 2}, {"n_candidates", 0}}},
      {"spos", Json::object()}};
  for (const auto& method : methods) {
    for (const at::ScalarType precision : {at::kBFloat16, at::kHalf}) {
      SCOPED_TRACE(method.first);
      const auto make = [&] {
        Search search =
            standard_algorithms().make(method.first, method.second, search_in(precision, 2), 5);
        return TrainingRun{std::move(search.mutator), std::move(search.trainer)};
      };
      expect_resumes_exactly(make, 4);
    }
  }
}

TEST(TrainingInALowerPrecision, LearnsInFloat16) {
  const SearchSetup setup = search_in(at::kHalf, 8);
  SupervisedTrainer trainer(inherit(setup.network, planted()), setup.train, setup.valid,
                            setup.trainer, setup.weight_optimizer);
  Recorder recorder;
  trainer.fit(recorder, nullptr);
  EXPECT_GT(recorder.epochs.back().validation->accuracy, 0.95);
}

double reported(const EpochReport& report, const std::string& name) {
  for (const auto& [known, value] : report.more) {
    if (known == name) {
      return value;
    }
  }
  ADD_FAILURE() << name << " is not reported";
  return 0;
}

/// Copies of what is trained: weights and alphas.
std::vector<at::Tensor> trained_in(const SearchSetup& setup, const Mutator& mutator) {
  std::vector<at::Tensor> copies;
  for (const std::vector<at::Tensor>& parameters :
       {setup.network->parameters(), mutator.parameters()}) {
    for (const at::Tensor& parameter : parameters) {
      copies.push_back(parameter.detach().clone());
    }
  }
  return copies;
}

TEST(TrainingInALowerPrecision, LeavesOutStepsThatOverflow) {
  const SearchSetup setup = search_in(at::kHalf, 2);
  DartsMutator mutator(*setup.network, {.seed = 5});
  BilevelTrainer trainer(setup, mutator, {});
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  Recorder first(1);
  trainer.fit(first, &store);
  Checkpoint saved = store.newest([](const auto&) {}).value();
  saved.state["loss_scaler"]["scale"] = 1e30;
  Recorder recorder;
  trainer.restore(saved, recorder);
  const std::vector<at::Tensor> before = trained_in(setup, mutator);
  trainer.fit(recorder, &store);
  ASSERT_EQ(recorder.epochs.size(), 2);
  EXPECT_EQ(reported(recorder.epochs[0], "skipped_steps"), 6);
  EXPECT_FLOAT_EQ(reported(recorder.epochs[0], "loss_scale"), 1e30 / 64);
  EXPECT_EQ(reported(recorder.epochs[1], "skipped_steps"), 7) << "counted anew";
  const std::vector<at::Tensor> after = trained_in(setup, mutator);
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(at::equal(after[i], before[i])) << i;
  }
}

/// Eight samples, of which two in the first half are so large that the gradient of the one that is
/// told wrong, 4e4 / 4 times the scale, overflows until the scale is 4.
Dataset with_large_samples() {
  const at::Tensor inputs =
      at::tensor({0.1F, 0.5F, 4e4F, 4e4F, -0.2F, 0.3F, 0.4F, -0.1F}).unsqueeze(1);
  return {"large", inputs, at::tensor({0, 1, 0, 1, 0, 1, 0, 1}, at::kLong), 2, {0}, {1}};
}

TEST(TrainingInALowerPrecision, LeavesAStepOutOnAllRanksWhereItOverflowsOnOne) {
  const auto train = [](Ranks& ranks) {
    Builder b("net");
    b.output("y", b.add("head", ops::linear({.out = 2}), {b.input("x", {1})}));
    Network network(b.finish(), 1);
    network->set_precision(at::kHalf);
    const Batches batches(with_large_samples(), {.batch_size = 8,
                                                 .order = SampleOrder::Given,
                                                 .last = LastBatch::Drop,
                                                 .rank = ranks.rank(),
                                                 .n_ranks = 2});
    SupervisedTrainer trainer(network, batches, std::nullopt, {.epochs = 16, .digest_every = 1},
                              {.lr = 1e-6}, &ranks);
    Recorder recorder;
    trainer.fit(recorder, nullptr);
    double skipped = 0;
    for (const EpochReport& report : recorder.epochs) {
      skipped += reported(report, "skipped_steps");
    }
    EXPECT_EQ(skipped, 14);
    EXPECT_EQ(reported(recorder.epochs.back(), "loss_scale"), 4);
  };
  EXPECT_THAT(in_ranks(2, train), Each(""));
}

}  // namespace
}  // namespace retia
