#include "trainers/one_shot/single_path_trainer.h"

#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/ir/freeze.h"
#include "mutators/one_shot/random.h"
#include "mutators/one_shot/spos.h"
#include "tests/error_of.h"
#include "tests/trainers/runs.h"
#include "tests/trainers/stripes.h"

namespace retia {
namespace {

using testing::HasSubstr;

template <class M>
TrainingRun make() {
  const SearchSetup setup = small_search(3);
  if constexpr (std::is_same_v<M, SposMutator>) {
    auto mutator = std::make_unique<M>(*setup.network, RandomMutatorOptions{.seed = 5});
    auto trainer = std::make_unique<SinglePathTrainer>(setup, *mutator, SinglePathOptions{});
    return {std::move(mutator), std::move(trainer)};
  } else {
    auto mutator = std::make_unique<M>(*setup.network, RandomMutatorOptions{.seed = 5});
    auto trainer = std::make_unique<SinglePathTrainer>(setup, *mutator, SinglePathOptions{});
    return {std::move(mutator), std::move(trainer)};
  }
}

TEST(SinglePathTrainer, ResumesBitForBit) {
  expect_resumes_exactly(make<SposMutator>, 4);
  expect_resumes_exactly(make<SposMutator>, 7);
  expect_resumes_exactly(make<RandomMutator>, 10);
}

TEST(SinglePathTrainer, TrainsTheSampledPathOnly) {
  const SearchSetup setup = small_search(1);
  SposMutator mutator(*setup.network, {.seed = 5});
  SinglePathTrainer trainer(setup, mutator, {});
  std::set<Architecture> seen;
  for (int64_t i = 0; i < 12; ++i) {
    const NamedTensors before = [&] {
      NamedTensors copies;
      for (const auto& [name, tensor] : named_parameters(*setup.network)) {
        copies[name] = tensor.detach().clone();
      }
      return copies;
    }();
    trainer.train_step(setup.train.batch(i, 0), setup.valid.batch(0, 0));
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

TEST(SinglePathTrainer, ExportsTheBestOfTheSampledCandidates) {
  SearchSetup setup = small_search(1);
  SposMutator mutator(*setup.network, {.seed = 5});
  SinglePathTrainer trainer(setup, mutator, {.n_candidates = 60, .recalibration_batches = 3});
  Recorder recorder;
  trainer.fit(recorder, nullptr);
  const auto accuracy = [&](const Architecture& architecture) {
    Network model = inherit(setup.network, architecture);
    recalibrate(model, setup.train, 3);
    return evaluate(model, setup.valid).accuracy;
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
  SinglePathTrainer trainer(setup, mutator, {.n_candidates = 5});
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

TEST(SinglePathTrainer, RefusesOptionsOutOfRange) {
  const SearchSetup setup = small_search(1);
  SposMutator mutator(*setup.network, {});
  EXPECT_THAT(error_of([&] { SinglePathTrainer(setup, mutator, {.n_candidates = 0}); }),
              HasSubstr("n_candidates must be at least 1, got 0"));
  EXPECT_THAT(error_of([&] { SinglePathTrainer(setup, mutator, {.recalibration_batches = -1}); }),
              HasSubstr("recalibration_batches must be at least 0, got -1"));
}

}  // namespace
}  // namespace retia
