#include "retia/trainers/score.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "retia/engine/operations/batch_norm.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/stripes.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// Normalises the image, whose statistics are then those of the batches.
ir::Graph normalising_model() {
  Builder b("net");
  Wire x = b.input("x", {1, 6, 6});
  x = b.add("bn", ops::batch_norm({.momentum = 0.3}), {x});
  x = b.add("conv", ops::conv2d({.out = 3}), {x});
  b.output("y", b.add("head", ops::linear({.out = 2}), {b.add("mean", ops::global_mean(), {x})}));
  return b.finish();
}

TEST(Evaluate, AveragesOverSamplesAlsoOfASmallerLastBatch) {
  Network network(normalising_model(), 1);
  randomise(*network, 2);
  const Batches batches = stripe_batches(21, 3, 8, at::kDouble);
  const Score score = score_of(network, batches);
  network->eval();
  const at::NoGradGuard no_grad;
  double loss = 0;
  int64_t n_right = 0;
  int64_t n = 0;
  for (int64_t i = 0; i < batches.n_batches(); ++i) {
    const Batch batch = batches.batch(0, i);
    const at::Tensor logits = network->forward(batch.inputs);
    for (int64_t j = 0; j < batch.size(); ++j) {
      const auto zero = logits[j][0].item<double>();
      const auto one = logits[j][1].item<double>();
      const auto target = batch.targets[j].item<int64_t>();
      loss += std::log(std::exp(zero) + std::exp(one)) - (target == 0 ? zero : one);
      n_right += (one > zero ? 1 : 0) == target ? 1 : 0;
      ++n;
    }
  }
  EXPECT_EQ(n, 21);
  EXPECT_EQ(score.n_samples, 21);
  EXPECT_NEAR(score.loss, loss / 21, 1e-12);
  EXPECT_EQ(score.accuracy, static_cast<double>(n_right) / 21);
}

TEST(Evaluate, LeavesTheNetworkAsItIs) {
  Network network(normalising_model(), 1);
  for (const bool training : {true, false}) {
    network->train(training);
    const NamedTensors before = [&] {
      NamedTensors copies;
      for (const auto& [name, tensor] : weights_of(*network)) {
        copies[name] = tensor.clone();
      }
      return copies;
    }();
    score_of(network, stripe_batches(16, 3, 8));
    EXPECT_EQ(network->is_training(), training);
    for (const auto& [name, tensor] : weights_of(*network)) {
      EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
    }
  }
}

TEST(Recalibrate, TakesThePlainMeanOfTheBatchesStatistics) {
  Network network(normalising_model(), 1);
  randomise(*network, 2);
  const Batches batches = stripe_batches(40, 3, 8, at::kDouble);
  std::vector<at::Tensor> means;
  std::vector<at::Tensor> variances;
  for (int64_t i = 0; i < 4; ++i) {
    const at::Tensor inputs = batches.batch(0, i).inputs;
    means.push_back(inputs.mean());
    variances.push_back(inputs.var(/*unbiased=*/true));
  }
  network->eval();
  recalibrate(network, batches, 4);
  const auto buffers = network->named_buffers();
  EXPECT_TRUE(at::allclose(buffers["bn.running_mean"][0], at::stack(means).mean(), 1e-12, 1e-12));
  EXPECT_TRUE(
      at::allclose(buffers["bn.running_var"][0], at::stack(variances).mean(), 1e-12, 1e-12));
  EXPECT_FALSE(network->is_training());
  const auto bn = std::dynamic_pointer_cast<BatchNormLayer>(network->named_modules()["bn"]);
  EXPECT_EQ(bn->momentum(), 0.3);
}

TEST(Recalibrate, GoesThroughTheSetOnceAtMostAndNotAtAllForNoBatches) {
  Network network(normalising_model(), 1);
  network->to(at::kDouble);
  const Batches batches = stripe_batches(16, 3, 8, at::kDouble);
  recalibrate(network, batches, 0);
  EXPECT_EQ(network->named_buffers()["bn.running_var"].item<double>(), 1);
  recalibrate(network, batches, 2);
  const at::Tensor twice = network->named_buffers()["bn.running_mean"].clone();
  recalibrate(network, batches, 100);
  EXPECT_TRUE(at::equal(network->named_buffers()["bn.running_mean"], twice));
}

TEST(Inherit, GivesTheFrozenModelTheWeightsOfTheSupernet) {
  Network supernet(every_choice_space(), 1);
  randomise(*supernet, 2);
  supernet->eval();
  AppliedMutator mutator(*supernet);
  const at::NoGradGuard no_grad;
  const at::Tensor batch = normal_tensor({3, 3, 7, 5}, 3);
  Random random(4);
  for (int i = 0; i < 10; ++i) {
    const Architecture architecture = random_architecture_of(mutator.mutables(), random);
    Network model = inherit(supernet, architecture);
    model->eval();
    mutator.apply(architecture);
    EXPECT_TRUE(at::allclose(model->forward(batch), supernet->forward(batch), 1e-12, 1e-12));
    EXPECT_FALSE(model->parameters().front().is_same(supernet->parameters().front()));
  }
}

TEST(Inherit, RunsTheModelAsTheSupernetIsRun) {
  Network supernet(every_choice_space(), 1);
  supernet->to(at::kDouble);
  supernet->set_executor(Executor::Reference);
  AppliedMutator mutator(*supernet);
  Random random(4);
  const Network model = inherit(supernet, random_architecture_of(mutator.mutables(), random));
  EXPECT_EQ(model->executor(), Executor::Reference);
  EXPECT_EQ(model->parameters().front().scalar_type(), at::kDouble);
}

TEST(CopyWeights, CopiesParametersAndBuffersByName) {
  Network from(normalising_model(), 1);
  Network to(normalising_model(), 2);
  randomise(*from, 3);
  to->to(at::kDouble);
  copy_weights(weights_of(*from), *to);
  const NamedTensors expected = weights_of(*from);
  EXPECT_EQ(expected.size(), 7);
  for (const auto& [name, tensor] : weights_of(*to)) {
    EXPECT_TRUE(at::equal(tensor, expected.at(name))) << name;
    EXPECT_FALSE(tensor.is_same(expected.at(name)));
  }
}

TEST(CopyWeights, CopiesNothingWhereOneIsMissingOrOfAnotherShape) {
  Network from(normalising_model(), 1);
  Network to(normalising_model(), 2);
  const at::Tensor before = to->named_parameters()["conv.weight"].detach().clone();
  NamedTensors weights = weights_of(*from);
  weights.erase("head.bias");
  EXPECT_THAT(error_of([&] { copy_weights(weights, *to); }),
              HasSubstr("there are no weights for 'head.bias'"));
  weights["head.bias"] = at::ones({3});
  EXPECT_THAT(error_of([&] { copy_weights(weights, *to); }),
              HasSubstr("the weights of 'head.bias' are [3], expected [2]"));
  EXPECT_TRUE(at::equal(to->named_parameters()["conv.weight"], before));
}

}  // namespace
}  // namespace retia
