#include "retia/trainers/one_shot/single_path_trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/space/freeze.h"
#include "retia/mutators/random.h"
#include "retia/mutators/spos.h"
#include "retia/strategies/random.h"
#include "retia/tests/error_of.h"
#include "retia/tests/trainers/runs.h"
#include "retia/tests/trainers/stripes.h"

namespace retia {
namespace {

using testing::HasSubstr;

std::unique_ptr<Strategy> random_search(const ir::Graph& space) {
  return std::make_unique<RandomStrategy>(space, RandomOptions{}, 5);
}

template <class M, class Options>
TrainingRun make_single_path() {
  const SearchSetup setup = small_search(3);
  auto mutator = std::make_unique<M>(*setup.network, Options{.seed = 5});
  auto trainer = std::make_unique<SinglePathTrainer>(setup, *mutator, random_search,
                                                     SinglePathOptions{.paths_per_step = 2});
  return {std::move(mutator), std::move(trainer)};
}

TEST(SinglePathTrainer, ResumesBitForBit) {
  expect_resumes_exactly(make_single_path<SposMutator, RandomMutatorOptions>, 4);
  expect_resumes_exactly(make_single_path<SposMutator, RandomMutatorOptions>, 7);
  expect_resumes_exactly(make_single_path<RandomMutator, RandomMutatorOptions>, 10);
}

TEST(SinglePathTrainer, TrainsTheSampledPathOnly) {
  const SearchSetup setup = small_search(1);
  SposMutator mutator(*setup.network, {.seed = 5});
  SinglePathTrainer trainer(setup, mutator, random_search, {});
  std::set<Architecture> seen;
  for (int64_t i = 0; i < 12; ++i) {
    const NamedTensors before = [&] {
      NamedTensors copies;
      for (const auto& [name, tensor] : named_parameters(*setup.network)) {
        copies[name] = tensor.detach().clone();
      }
      return copies;
    }();
    trainer.train_step(i, 0);
    const Architecture path = mutator.current();
    const bool convolves =
        path.at("op").chosen.front() == kConv && path.at("mixed").chosen.front() == 1;
    const bool only_zeros =
        path.at("op").chosen.front() == 0 && path.at("mixed").chosen.front() == 1;
    for (const auto& [name, tensor] : named_parameters(*setup.network)) {
      const bool on_path = name.rfind("op/conv", 0) == 0 ? convolves
                           : name.rfind("stem", 0) == 0  ? !only_zeros
                                                         : name == "head.bias";
      if (!on_path && name != "head.weight") {
        EXPECT_TRUE(at::equal(tensor, before.at(name))) << name << path.to_string();
      } else if (on_path) {
        EXPECT_FALSE(at::equal(tensor, before.at(name))) << name << path.to_string();
      }
    }
    seen.insert(path);
  }
  EXPECT_GE(seen.size(), 4);
}

TEST(SinglePathTrainer, AddsTheGradientsOfThePathsOfAStep) {
  SearchSetup setup = small_search(1);
  setup.network->to(at::kDouble);
  setup.train = stripe_batches(16, 2, 8, at::kDouble);
  setup.weight_optimizer = {.lr = 0.1, .momentum = 0, .weight_decay = 0, .gradient_clip = 0};
  SposMutator mutator(*setup.network, {.seed = 5});
  const NamedTensors parameters = named_parameters(*setup.network);
  NamedTensors expected;
  const Batch batch = setup.train.batch(0, 0);
  const Json start = mutator.state();
  setup.network->train();
  for (int path = 0; path < 3; ++path) {
    mutator.reset();
    at::cross_entropy_loss(setup.network->forward(batch.inputs), batch.targets).backward();
  }
  for (const auto& [name, weight] : parameters) {
    expected[name] =
        weight.grad().defined() ? weight.detach() - 0.1 * weight.grad() : weight.detach().clone();
  }
  setup.network->zero_grad();
  mutator.load_state(start);
  SinglePathTrainer trainer(setup, mutator, random_search, {.paths_per_step = 3});
  trainer.train_step(0, 0);
  for (const auto& [name, weight] : parameters) {
    EXPECT_TRUE(at::allclose(weight, expected.at(name), 1e-12, 1e-14)) << name;
  }
}

TEST(SinglePathTrainer, ExportsTheBestOfTheSampledCandidates) {
  SearchSetup setup = small_search(1);
  SposMutator mutator(*setup.network, {.seed = 5});
  SinglePathTrainer trainer(setup, mutator, random_search,
                            {.n_candidates = 60, .recalibration_batches = 3});
  Recorder recorder;
  trainer.fit(recorder, nullptr);
  const auto accuracy = [&](const Architecture& architecture) {
    Network model = inherit(setup.network, architecture);
    recalibrate(model, setup.train, 3);
    return score_of(model, setup.valid).accuracy;
  };
  double best = 0;
  for (int64_t op = 0; op < 4; ++op) {
    for (int64_t input = 0; input < 2; ++input) {
      best = std::max(best, accuracy({{"op", {{op}}}, {"mixed", {{input}}}}));
    }
  }
  EXPECT_EQ(accuracy(trainer.export_architecture()), best);
}

TEST(SinglePathTrainer, ExportsWithoutChangingAnything) {
  SearchSetup setup = small_search(1);
  SposMutator mutator(*setup.network, {.seed = 5});
  SinglePathTrainer trainer(setup, mutator, random_search, {.n_candidates = 5});
  mutator.reset();
  setup.network->train();
  NamedTensors before;
  for (const auto& [name, tensor] : weights_of(*setup.network)) {
    before[name] = tensor.detach().clone();
  }
  const Json state = mutator.state();
  const Architecture current = mutator.current();
  const Architecture exported = trainer.export_architecture();
  EXPECT_EQ(trainer.export_architecture(), exported);
  EXPECT_EQ(mutator.state(), state);
  EXPECT_EQ(mutator.current(), current);
  EXPECT_TRUE(setup.network->is_training());
  for (const auto& [name, tensor] : weights_of(*setup.network)) {
    EXPECT_TRUE(at::equal(tensor, before.at(name))) << name;
  }
}

TEST(SinglePathTrainer, EndsByTrialsOfWhichEachArchitectureIsOne) {
  const SearchSetup setup = small_search(1);
  SposMutator mutator(*setup.network, {.seed = 5});
  SinglePathTrainer trainer(setup, mutator, random_search, {.n_candidates = 50, .n_top = 3});
  const FinalSearch search = trainer.final_search().value();
  EXPECT_EQ(search.max_trials, 8) << "the space has no more";
  EXPECT_EQ(search.n_top, 3);
  std::set<Architecture> tried;
  while (true) {
    const Strategy::Answer answer = search.strategy->ask();
    const auto* proposal = std::get_if<Proposal>(&answer);
    if (proposal == nullptr) {
      break;
    }
    EXPECT_TRUE(tried.insert(proposal->architecture).second);
  }
  EXPECT_EQ(tried.size(), 5) << "`op` matters only where `mixed` takes it";
}

TEST(SinglePathTrainer, RefusesOptionsOutOfRange) {
  const SearchSetup setup = small_search(1);
  SposMutator mutator(*setup.network, {});
  EXPECT_THAT(
      error_of([&] { SinglePathTrainer(setup, mutator, random_search, {.n_candidates = 0}); }),
      HasSubstr("n_candidates must be at least 1, got 0"));
  EXPECT_THAT(error_of([&] {
                SinglePathTrainer(setup, mutator, random_search, {.recalibration_batches = -1});
              }),
              HasSubstr("recalibration_batches must be at least 0, got -1"));
}

}  // namespace
}  // namespace retia
