#include "retia/engine/executor/routine.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <c10/util/intrusive_ptr.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/ir/lower.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/hook.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Routine, HandsOverItsModulesWithTheirPaths) {
  Builder b("net");
  Wire x = b.input("x", {2, 4, 4});
  const auto cell = [](Builder& c, Wire y) { return c.add("relu", ops::relu(), {y}); };
  x = b.layer_choice("op", {{"cell", cell}, {"skip", ops::identity()}}, {x});
  b.output("y", b.add("pooled", ops::global_mean(), {x}));
  std::vector<std::string> paths;
  const Routine routine(b.finish(), {{2, 4, 4}}, "outer/",
                        [&](const std::string& path, const std::shared_ptr<torch::nn::Module>&) {
                          paths.push_back(path);
                        });
  EXPECT_THAT(paths, testing::UnorderedElementsAre("outer/op/cell/relu", "outer/op/skip",
                                                   "outer/op", "outer/pooled"));
}

TEST(Routine, KnowsItsStepsWithTheirShapes) {
  const Routine routine(ir::lower(every_choice_space()), {{3, 7, 5}}, "",
                        [](const std::string&, const std::shared_ptr<torch::nn::Module>&) {});
  const std::vector<Step>& steps = routine.steps();
  ASSERT_EQ(steps.size(), 12);
  EXPECT_EQ(steps[1].node.name, "stem/conv");
  EXPECT_THAT(steps[1].shape, ElementsAre(4, 7, 5));
  EXPECT_THAT(steps[1].inputs, ElementsAre(0));
  EXPECT_TRUE(steps[1].layer);
  EXPECT_EQ(steps[3].layer_choice->info().label, "first");
  EXPECT_THAT(steps[6].input_choice->info().fed_by, ElementsAre("", "first", "second"));
  EXPECT_THAT(steps[7].shape, ElementsAre(8, 7, 5));
}

TEST(Routine, KnowsWhichSizesAreChoices) {
  Builder b("net");
  const Wire x = b.input("x", {2, 4, 4});
  const Dim width = ValueChoice<int64_t>("width", {3, 5});
  const Wire conv = b.add("conv", ops::conv2d({.out = width}), {x});
  const Wire joined = b.add("joined", ops::concat(), {b.add("relu", ops::relu(), {conv}), x});
  b.output("y", b.add("last", ops::conv2d({.out = 4}), {joined}));
  std::vector<std::string> paths;
  const Routine routine(b.finish(), {{2, 4, 4}}, "outer/",
                        [&](const std::string& path, const std::shared_ptr<torch::nn::Module>&) {
                          paths.push_back(path);
                        });
  EXPECT_THAT(paths, ElementsAre("outer/value_choice:width", "outer/conv", "outer/relu",
                                 "outer/joined", "outer/last"));
  const std::vector<Step>& steps = routine.steps();
  EXPECT_FALSE(steps[0].channels);
  EXPECT_THAT(steps[2].shape, ElementsAre(5, 4, 4));
  EXPECT_THAT(steps[2].channels->labels(), ElementsAre("width"));
  EXPECT_THAT(steps[3].shape, ElementsAre(7, 4, 4));
  EXPECT_TRUE(steps[3].channels);
  EXPECT_FALSE(steps[4].channels);
}

TEST(Routine, WantsOneTensorPerInput) {
  Builder b("net");
  b.output("y", b.add("relu", ops::relu(), {b.input("x", {2})}));
  Routine routine(b.finish(), {{2}}, "",
                  [](const std::string&, const std::shared_ptr<torch::nn::Module>&) {});
  EXPECT_THAT(error_of([&] { routine.run({}); }), HasSubstr("expected 1 inputs, got 0"));
}

TEST(Routine, DropsAValueAfterItsLastUse) {
  Builder b("net");
  const Wire x = b.input("x", {2});
  const Wire first = b.add("first", hook(2), {x});
  const Wire second = b.add("second", hook(3), {first});
  const Wire third = b.add("third", hook(5), {second});
  const Wire sum = b.add("sum", ops::add(), {first, third});
  b.output("y", b.add("last", hook(1), {sum}));
  Network network(b.finish(), 1);
  using Weak = c10::weak_intrusive_ptr<at::TensorImpl, at::UndefinedTensorImpl>;
  std::optional<Weak> made_by_first;
  std::vector<bool> gone;
  const auto look = [&](const at::Tensor&) { gone.push_back(made_by_first->expired()); };
  hook_at(network, "second").seen = [&](const at::Tensor& value) {
    made_by_first.emplace(value.getIntrusivePtr());
  };
  hook_at(network, "third").seen = look;
  hook_at(network, "last").seen = look;
  const at::NoGradGuard no_grad;
  EXPECT_EQ(network->forward(at::ones({1, 2}))[0][0].item<float>(), 32);
  EXPECT_THAT(gone, ElementsAre(false, true));
}

TEST(Routine, RunsRightThroughMoreDecisionsThanItKeepsPlansFor) {
  Builder b("net");
  const Wire x = b.input("x", {1});
  std::vector<Wire> powers;
  std::vector<std::string> names;
  for (int64_t i = 0; i < 9; ++i) {
    names.push_back(std::string("p").append(std::to_string(i)));
    powers.push_back(b.add(names.back(), hook(int64_t{1} << i), {x}));
  }
  b.output("y", b.input_choice("pick", powers, {.n_chosen = std::nullopt}));
  Network network(b.finish(), 1);
  AppliedMutator mutator(*network);
  for (int round = 0; round < 2; ++round) {
    for (int64_t bits = 0; bits < 512; ++bits) {
      Architecture architecture;
      std::vector<int64_t>& chosen = architecture["pick"].chosen;
      for (int64_t i = 0; i < 9; ++i) {
        if ((bits >> i & 1) != 0) {
          chosen.push_back(i);
        }
      }
      mutator.apply(architecture);
      ASSERT_EQ(network->forward(at::ones({1, 1})).item<float>(), static_cast<float>(bits));
    }
  }
}

}  // namespace
}  // namespace retia
