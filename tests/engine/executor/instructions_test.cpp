#include "retia/engine/executor/instructions.h"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <vector>

#include "retia/engine/executor/interpreter.h"
#include "retia/engine/executor/network.h"
#include "retia/tests/engine/example_spaces.h"

namespace retia::executor {
namespace {

using testing::ElementsAre;

/// A network with the mutator that decides its choices.
struct Driven {
  explicit Driven(const ir::Graph& graph) : network(graph, 1), mutator(*network) {
    network->set_passes({});
  }
  const Program& program() const { return network->program(); }
  const Instruction& last() const { return *program().instructions.back(); }
  Work cost_of_last() const { return last().cost(program()); }

  Network network;
  AppliedMutator mutator;
};

TEST(LayerInstruction, CountsTheWorkOfItsLayer) {
  Builder b("net");
  b.output("y", b.add("conv", ops::conv2d({.out = 3}), {b.input("x", {2, 4, 5})}));
  Network network(b.finish(), 1);
  network->set_passes({});
  const Program& program = network->program();
  const Instruction& conv = *program.instructions.front();
  EXPECT_EQ(conv.describe(program), "conv: conv2d");
  const Work work = conv.cost(program);
  EXPECT_EQ(work.multiply_adds, 2 * 3 * 9 * 4 * 5);
  EXPECT_EQ(work.numbers, (2 + 3) * 4 * 5);
  EXPECT_EQ(work.unfused_numbers, work.numbers);
}

TEST(LayerChoiceInstruction, CostsAsMuchAsItsLargestCandidate) {
  Builder b("net");
  const auto two = [](Builder& c, Wire x) {
    x = c.add("relu", ops::relu(), {x});
    return c.add("conv", ops::conv2d({.kernel = 1}), {x});
  };
  b.output("y", b.layer_choice("op",
                               {{"skip", ops::identity()},
                                {"cell", two},
                                {"conv", ops::conv2d({.kernel = 3})},
                                {"pool", ops::max_pool2d()}},
                               {b.input("x", {2, 4, 4})}));
  const Driven all(b.finish());
  EXPECT_EQ(all.last().describe(all.program()), "op: one of");
  EXPECT_EQ(all.cost_of_last().multiply_adds, 2 * 2 * 9 * 16) << "of the primitive conv";
  EXPECT_EQ(all.cost_of_last().numbers, 2 * 2 * 16);
}

TEST(LayerChoiceInstruction, NamesItsCandidatesAndTheProgramsOfCells) {
  Builder b("net");
  const auto cell = [](Builder& c, Wire x) { return c.add("relu", ops::relu(), {x}); };
  b.output("y",
           b.layer_choice("op", {{"cell", cell}, {"skip", ops::identity()}}, {b.input("x", {2})}));
  const Driven driven(b.finish());
  const std::vector<Instruction::Nested> nested = driven.last().nested();
  ASSERT_EQ(nested.size(), 2u);
  EXPECT_EQ(nested[0].name, "cell");
  EXPECT_TRUE(nested[0].interpreter);
  EXPECT_EQ(nested[1].name, "skip");
  EXPECT_FALSE(nested[1].interpreter);
}

/// The sum of any of an input, its double and its triple.
ir::Graph sum_of_some() {
  Builder b("net");
  const Wire x = b.input("x", {2});
  const Wire two = b.add("two", ops::add(), {x, x});
  const Wire three = b.add("three", ops::add(), {x, two});
  b.output("y", b.input_choice("some", {x, two, three}, {.n_chosen = std::nullopt}));
  return b.finish();
}

TEST(InputChoiceInstruction, NeedsTheChosenInputsOnly) {
  Driven driven(sum_of_some());
  const std::vector<Value>& inputs = driven.last().inputs();
  ASSERT_EQ(inputs.size(), 3u);
  for (const std::vector<int64_t>& chosen :
       std::vector<std::vector<int64_t>>{{1}, {0, 2}, {0, 1, 2}, {}}) {
    driven.mutator.apply({{"some", {chosen}}});
    std::vector<Value> expected;
    double factor = 0;
    for (const int64_t index : chosen) {
      expected.push_back(inputs[static_cast<size_t>(index)]);
      factor += static_cast<double>(index + 1);
    }
    EXPECT_EQ(driven.last().needed(), expected);
    const at::Tensor y = driven.network->forward(at::full({3, 2}, 2.0));
    EXPECT_TRUE(y.equal(at::full({3, 2}, 2 * factor)));
  }
}

TEST(InputChoiceInstruction, HasOneKeyForEachSetOfInputs) {
  Driven driven(sum_of_some());
  std::vector<std::vector<int64_t>> keys;
  for (const std::vector<int64_t>& chosen :
       std::vector<std::vector<int64_t>>{{}, {0}, {1}, {0, 1}, {0, 1, 2}, {0, 1}}) {
    driven.mutator.apply({{"some", {chosen}}});
    driven.last().add_decisions(keys.emplace_back());
  }
  EXPECT_EQ(keys[3], keys[5]);
  keys.pop_back();
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(std::unique(keys.begin(), keys.end()), keys.end());
}

TEST(InputChoiceInstruction, CostsReadingAllInputsAndWritingTheSum) {
  const Driven driven(sum_of_some());
  EXPECT_EQ(driven.last().describe(driven.program()), "some: sum of inputs");
  const Work work = driven.cost_of_last();
  EXPECT_EQ(work.multiply_adds, 0);
  EXPECT_EQ(work.numbers, 4 * 2);
}

}  // namespace
}  // namespace retia::executor
