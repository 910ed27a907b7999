#include "retia/trainers/weight_average.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/space/freeze.h"
#include "retia/mutators/darts.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"
#include "retia/trainers/one_shot/bilevel_trainer.h"
#include "retia/trainers/score.h"
#include "retia/trainers/supervised_trainer.h"

namespace retia {
namespace {

using testing::HasSubstr;

void fill(const torch::nn::Module& model, double value) {
  const at::NoGradGuard no_grad;
  for (const auto& [name, tensor] : weights_of(model)) {
    at::Tensor(tensor).fill_(value);
  }
}

double value_in(const NamedTensors& tensors, const std::string& name) {
  return tensors.at(name).flatten()[0].item<double>();
}

TEST(WeightAverage, FollowsItsFormulaForParametersAndStatistics) {
  Network network(stripes_space(), 1);
  network->to(at::kDouble);
  fill(*network, 2);
  WeightAverage average(*network, 0.5);
  double expected = 2;
  int t = 0;
  for (const double value : {3.0, -1.0, 5.0, 4.0, 4.0, 4.0, 4.0, 4.0, 0.0, 1.0}) {
    fill(*network, value);
    average.update();
    ++t;
    const double decay = std::min(0.5, (1.0 + t) / (10.0 + t));
    expected = decay * expected + (1 - decay) * value;
    EXPECT_NEAR(value_in(average.tensors(), "head.weight"), expected, 1e-12);
    EXPECT_NEAR(value_in(average.tensors(), "op/conv/bn.running_mean"), expected, 1e-12);
  }
  EXPECT_EQ(average.tensors().size(), weights_of(*network).size());
  EXPECT_EQ(average.n_updates(), 10);
}

TEST(WeightAverage, IsLentToTheModelAndTakenBackBitForBit) {
  Network network(stripes_space(), 1);
  WeightAverage average(*network, 0.5);
  const at::Tensor weight = network->named_parameters()["head.weight"];
  const at::Tensor first = weight.detach().clone();
  fill(*network, 0.3);
  {
    const WeightAverage::InUse use(average);
    EXPECT_TRUE(at::equal(weight, first));
  }
  EXPECT_EQ(value_in(weights_of(*network), "head.weight"), static_cast<double>(0.3F));
  average.copy_to_model();
  EXPECT_TRUE(at::equal(weight, first));
}

TEST(WeightAverage, RefusesThatOfAnotherModel) {
  Network network(stripes_space(), 1);
  WeightAverage average(*network, 0.5);
  EXPECT_THAT(error_of([&] { average.load({}, 1); }),
              HasSubstr("the checkpoint has no average of 'head.bias'"));
}

TEST(TrainingWithAverages, ValidatesThemAndEndsWithThem) {
  const Batches valid = stripe_batches(40, 3, 8);
  const TemporaryFolder folder;
  CheckpointStore store(folder.path());
  Network network(ir::freeze(stripes_space(), planted()), 1);
  SupervisedTrainer trainer(network, stripe_batches(52, 2, 8), valid, {.epochs = 2, .ema = 0.9},
                            {.lr = 0.1});
  Recorder recorder;
  trainer.fit(recorder, &store);
  EXPECT_EQ(score_of(network, valid).loss, recorder.epochs.back().validation->loss);
  const Checkpoint saved = store.newest([](const auto&) {}).value();
  const NamedTensors averages = trained_weights(saved);
  const NamedTensors last = with_prefix(saved.tensors, "network/");
  for (const auto& [name, tensor] : weights_of(*network)) {
    EXPECT_TRUE(at::equal(tensor, averages.at(name))) << name;
    EXPECT_FALSE(at::equal(tensor, last.at(name))) << name;
  }

  // The weights that are averaged go the way they go without.
  Network plain(ir::freeze(stripes_space(), planted()), 1);
  SupervisedTrainer without(plain, stripe_batches(52, 2, 8), valid, {.epochs = 2}, {.lr = 0.1});
  Recorder ignored;
  without.fit(ignored, nullptr);
  for (const auto& [name, tensor] : weights_of(*plain)) {
    EXPECT_TRUE(at::equal(tensor, last.at(name))) << name;
  }

  // A run that has ended and is taken up has them too.
  Network again(ir::freeze(stripes_space(), planted()), 2);
  SupervisedTrainer resumed(again, stripe_batches(52, 2, 8), valid, {.epochs = 2, .ema = 0.9},
                            {.lr = 0.1});
  resumed.restore(saved, recorder);
  EXPECT_EQ(resumed.fit(recorder, nullptr), Ending::Finished);
  for (const auto& [name, tensor] : weights_of(*again)) {
    EXPECT_TRUE(at::equal(tensor, averages.at(name))) << name;
  }
}

TEST(TrainingWithAverages, ResumesBitForBit) {
  const auto make = [] {
    SearchSetup setup = small_search(3);
    setup.trainer.ema = 0.99;
    setup.trainer.accumulate = 2;
    setup.weight_optimizer.schedule = {.shape = ScheduleShape::Linear, .warmup_epochs = 1.5};
    auto mutator = std::make_unique<DartsMutator>(*setup.network, AlphaOptions{.seed = 5});
    auto trainer = std::make_unique<BilevelTrainer>(
        setup, *mutator,
        BilevelOptions{
            .alpha_optimizer = {.lr = 0.05,
                                .schedule = {.shape = ScheduleShape::Cosine, .warmup_epochs = 1}}});
    return TrainingRun{std::move(mutator), std::move(trainer)};
  };
  expect_resumes_exactly(make, 4);   // in the first epoch, which is all warm-up
  expect_resumes_exactly(make, 7);   // between two
  expect_resumes_exactly(make, 10);  // in the second
}

}  // namespace
}  // namespace retia
