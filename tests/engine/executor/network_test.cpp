#include "retia/engine/executor/network.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/operations/drop.h"
#include "retia/engine/space/freeze.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/hook.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::vector<std::string> names(const torch::nn::Module& module) {
  std::vector<std::string> all;
  for (const auto& item : module.named_parameters()) {
    all.push_back(item.key());
  }
  return all;
}

TEST(Network, NamesItsParametersByTheirPaths) {
  const Network network(every_choice_space(), 1);
  EXPECT_THAT(
      names(*network),
      testing::ElementsAre("stem/conv.weight", "stem/bn.weight", "stem/bn.bias",
                           "first/conv/conv.weight", "first/conv/bn.weight", "first/conv/bn.bias",
                           "second/deep/inner/wide/conv.weight", "second/deep/inner/wide/bn.weight",
                           "second/deep/inner/wide/bn.bias", "second/deep/inner/narrow/conv.weight",
                           "second/deep/inner/narrow/bn.weight", "second/deep/inner/narrow/bn.bias",
                           "head.weight", "head.bias"));
  EXPECT_EQ(network->graph(), every_choice_space());
}

TEST(Network, DrawsTheWeightsOfALayerBySeedAndPathAlone) {
  const auto parameters = [](const std::string& extra, uint64_t seed) {
    Builder b("net");
    Wire x = b.input("x", {3});
    if (!extra.empty()) {
      x = b.add(extra, ops::linear({.out = 3}), {x});
    }
    x = b.add("fc", ops::linear({.out = 4}), {x});
    b.output("y", b.add("fc2", ops::linear({.out = 4}), {x}));
    Network network(b.finish(), seed);
    return network->named_parameters();
  };
  const auto plain = parameters("", 1);
  const auto extended = parameters("before", 1);
  EXPECT_TRUE(at::equal(plain["fc.weight"], extended["fc.weight"]));
  EXPECT_TRUE(at::equal(plain["fc2.bias"], extended["fc2.bias"]));
  EXPECT_FALSE(at::equal(plain["fc.weight"], parameters("", 2)["fc.weight"]));
  EXPECT_FALSE(at::equal(plain["fc.bias"], plain["fc2.bias"]));
}

TEST(Network, ExecutesOnlyWhatIsChosen) {
  Builder b("net");
  const Wire x = b.input("x", {2});
  const Wire first = b.add("first", hook(2), {x});
  const Wire only_left = b.add("only_left", hook(3), {first});
  const auto deep = [](Builder& c, Wire y) {
    return c.add("second", hook(11), {c.add("first", hook(7), {y})});
  };
  const Wire left = b.layer_choice("left", {{"plain", hook(5)}, {"deep", deep}}, {only_left});
  const Wire right = b.add("right", hook(13), {first});
  b.output("y", b.input_choice("pick", {left, right}, {.n_chosen = std::nullopt}));
  Network network(b.finish(), 1);
  AppliedMutator mutator(*network);
  const std::vector<std::string> hooks = {"first",           "only_left",        "left/plain",
                                          "left/deep/first", "left/deep/second", "right"};
  const auto calls = [&](const Architecture& architecture) {
    mutator.apply(architecture);
    std::vector<int64_t> before;
    for (const std::string& name : hooks) {
      before.push_back(hook_at(network, name).n_calls);
    }
    const auto result = network->forward(at::ones({1, 2}))[0][0].item<int64_t>();
    std::vector<int64_t> made = {result};
    for (size_t i = 0; i < hooks.size(); ++i) {
      made.push_back(hook_at(network, hooks[i]).n_calls - before[i]);
    }
    return made;
  };
  using testing::ElementsAre;
  EXPECT_THAT(calls({{"left", {{0}}}, {"pick", {{0}}}}), ElementsAre(30, 1, 1, 1, 0, 0, 0));
  EXPECT_THAT(calls({{"left", {{1}}}, {"pick", {{0}}}}), ElementsAre(462, 1, 1, 0, 1, 1, 0));
  EXPECT_THAT(calls({{"left", {{1}}}, {"pick", {{1}}}}), ElementsAre(26, 1, 0, 0, 0, 0, 1));
  EXPECT_THAT(calls({{"left", {{0}}}, {"pick", {{0, 1}}}}), ElementsAre(56, 1, 1, 1, 0, 0, 1));
  EXPECT_THAT(calls({{"left", {{0}}}, {"pick", {}}}), ElementsAre(0, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(calls({{"left", {{0, 1}}}, {"pick", {{0}}}}), ElementsAre(492, 1, 1, 1, 1, 1, 0));
}

/// Runs every candidate and adds all up.
class SumMutator final : public BaseMutator {
 public:
  using BaseMutator::BaseMutator;
  void reset() override {}
  at::Tensor on_forward_layer_choice(LayerChoiceImpl& choice, at::TensorList inputs) override {
    at::Tensor sum = choice.run_candidate(0, inputs);
    for (int64_t k = 1; k < choice.info().n_candidates(); ++k) {
      sum = sum + choice.run_candidate(k, inputs);
    }
    return sum;
  }
  at::Tensor on_forward_input_choice(InputChoiceImpl&, at::TensorList inputs) override {
    return reduce(Reduction::Sum, inputs);
  }
};

TEST(Network, RepeatsAPartAsOftenAsValuesDecide) {
  Builder b("net");
  const Wire x = b.input("x", {2});
  const auto body = [](Builder& c, Wire y, int64_t index) {
    return c.add("scale", hook(index + 2), {y});
  };
  const ir::Expression deep = ValueChoice("deep", {false, true});
  const ir::Expression n = between("n", 0, 1);
  b.output("y", b.repeat("r", condition(deep, 2 * n + 1, n), body, x));
  const ir::Graph graph = b.finish();
  Network network(graph, 1);
  AppliedMutator mutator(*network);
  EXPECT_EQ(mutator.mutables().size(), ir::mutables(graph).size());
  for (const Mutable& choice : mutator.mutables()) {
    EXPECT_EQ(choice.kind, MutableKind::ValueChoice);
  }
  for (const auto& [is_deep, index, depth, product] : std::vector<std::array<int64_t, 4>>{
           {0, 0, 0, 1}, {0, 1, 1, 2}, {1, 0, 1, 2}, {1, 1, 3, 24}}) {
    const int64_t before = hook_at(network, "r/2/scale").n_calls;
    const Architecture architecture = {{"deep", {{is_deep}}}, {"n", {{index}}}};
    mutator.apply(architecture);
    const at::Tensor expected = at::ones({3, 2}) * product;
    EXPECT_TRUE(at::equal(network->forward(at::ones({3, 2})), expected));
    EXPECT_EQ(hook_at(network, "r/2/scale").n_calls - before, depth == 3 ? 1 : 0);
    Network frozen(ir::freeze(graph, architecture), 1);
    EXPECT_EQ(frozen->graph().nodes().size(), 1 + depth);
    EXPECT_TRUE(at::equal(frozen->forward(at::ones({3, 2})), expected));
  }
}

TEST(Network, RunsEverythingForAMutatorThatManipulatesExecution) {
  Builder b("net");
  const Wire x = b.input("x", {1});
  const Wire op = b.layer_choice("op", {{"two", hook(2)}, {"three", hook(3)}}, {x});
  b.output("y", b.input_choice("pick", {x, op}, {.n_chosen = std::nullopt}));
  Network network(b.finish(), 1);
  {
    // What was planned for a choice of nothing must not be taken for one that cannot be told.
    AppliedMutator nothing(*network);
    nothing.apply({{"op", {{0}}}, {"pick", {}}});
    EXPECT_EQ(network->forward(at::ones({1, 1})).item<float>(), 0);
  }
  {
    const SumMutator everything(*network);
    EXPECT_EQ(network->forward(at::ones({1, 1})).item<float>(), 1 + 2 + 3);
  }
  AppliedMutator nothing(*network);
  nothing.apply({{"op", {{0}}}, {"pick", {}}});
  EXPECT_EQ(network->forward(at::ones({1, 1})).item<float>(), 0);
}

TEST(Network, RunsAllInputsToAllOutputs) {
  Builder b("net");
  const Wire x = b.input("x", {2});
  const Wire y = b.input("y", {2});
  const Wire sum = b.add("sum", ops::add(), {x, y});
  b.output("sum", sum);
  b.output("x", b.add("relu", ops::relu(), {x}));
  b.output("again", sum);
  Network network(b.finish(), 1);
  const at::Tensor one = at::ones({3, 2});
  const std::vector<at::Tensor> outputs = network->run({one, 2 * one});
  ASSERT_EQ(outputs.size(), 3);
  EXPECT_TRUE(at::equal(outputs[0], 3 * one));
  EXPECT_TRUE(at::equal(outputs[1], one));
  EXPECT_TRUE(at::equal(outputs[2], 3 * one));
}

TEST(Network, RefusesInputsOfOtherShapesOrNumbers) {
  Builder b("net");
  b.output("y", b.add("conv", ops::conv2d({.out = 2}), {b.input("x", {3, 4, 4})}));
  Network network(b.finish(), 1);
  EXPECT_THAT(
      error_of([&] {
        network->forward(at::ones({2, 3, 4, 5}));
      }),
      HasSubstr("'net' expected an input of [3, 4, 4] per sample, got a batch of [2, 3, 4, 5]"));
  EXPECT_THAT(error_of([&] { network->forward(at::ones({3, 4, 4})); }), HasSubstr("expected"));
  EXPECT_THAT(error_of([&] { network->run({}); }), HasSubstr("'net' reads 1 inputs, got 0"));
}

TEST(Network, AsksForAMutatorWhenItHasChoices) {
  Network network(every_choice_space(), 1);
  EXPECT_THAT(error_of([&] {
                network->forward(at::ones({1, 3, 7, 5}));
              }),
              HasSubstr("ran without a mutator"));
  AppliedMutator mutator(*network);
  EXPECT_THAT(error_of([&] {
                network->forward(at::ones({1, 3, 7, 5}));
              }),
              HasSubstr("has decided nothing yet"));
}

TEST(Network, RefusesASupernetOfUnequalShapesNamingTheChoice) {
  Builder b("net");
  const Wire x = b.input("x", {3, 4, 4});
  b.output("y", b.layer_choice(
                    "op", {{"a", ops::conv2d({.out = 2})}, {"b", ops::conv2d({.out = 4})}}, {x}));
  EXPECT_THAT(error_of([&] { Network(b.finish(), 1); }),
              AllOf(HasSubstr("node 'op' chooses by 'op'"), HasSubstr("[2, 4, 4] and [4, 4, 4]"),
                    HasSubstr("candidates of one shape")));
}

TEST(Network, RefusesWhatIsNotDecidedNamingTheNode) {
  Builder undecided("net");
  undecided.output(
      "y", undecided.add("pool", ops::max_pool2d({.kernel = ValueChoice<int64_t>("k", {3, 5})}),
                         {undecided.input("x", {3, 8, 8})}));
  EXPECT_THAT(error_of([&] { Network(undecided.finish(), 1); }),
              AllOf(HasSubstr("node 'pool'"), HasSubstr("k{3,5}")));
  Builder waiting("net");
  waiting.output(
      "y", waiting.placeholder("late", {.label = "m", .shape = {3}}, {waiting.input("x", {3})}));
  EXPECT_THAT(error_of([&] { Network(waiting.finish(), 1); }),
              HasSubstr("node 'late' is a placeholder"));
  ir::Graph silent("silent");
  silent.add("x", ir::Input{{3}}, {});
  EXPECT_THAT(error_of([&] { Network(silent, 1); }), HasSubstr("'silent' has no output"));
}

TEST(Network, TellsStochasticLayersWhichSamplesCome) {
  Builder b("net");
  Wire x = b.input("x", {1});
  x = b.add("drop1", ops::drop_path({.probability = 0.5}), {x});
  b.output("one", x);
  b.output("two", b.add("drop2", ops::drop_path({.probability = 0.5}), {b.input("z", {1})}));
  Network network(b.finish(), 1);
  std::vector<uint64_t> keys;
  for (uint64_t i = 0; i < 64; ++i) {
    keys.push_back(mix({i}));
  }
  const at::Tensor ones = at::ones({64, 1});
  network->prepare(keys, 1);
  const std::vector<at::Tensor> outputs = network->run({ones, ones});
  EXPECT_FALSE(at::equal(outputs[0], outputs[1]));  // each layer draws for itself
  network->prepare(keys, 1);
  EXPECT_TRUE(at::equal(network->run({ones, ones})[0], outputs[0]));
  network->prepare(keys, 0);
  EXPECT_TRUE(at::equal(network->run({ones, ones})[0], ones));
}

}  // namespace
}  // namespace retia
