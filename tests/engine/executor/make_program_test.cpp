#include "retia/engine/executor/make_program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/executor/instructions.h"
#include "retia/engine/ir/lower.h"
#include "retia/tests/engine/example_spaces.h"

namespace retia::executor {
namespace {

using testing::ElementsAre;

TEST(MakeProgram, HandsOverItsModulesWithTheirPaths) {
  Builder b("net");
  Wire x = b.input("x", {2, 4, 4});
  const auto cell = [](Builder& c, Wire y) { return c.add("relu", ops::relu(), {y}); };
  x = b.layer_choice("op", {{"cell", cell}, {"skip", ops::identity()}}, {x});
  b.output("y", b.add("pooled", ops::global_mean(), {x}));
  std::vector<std::string> paths;
  const Program program =
      make_program(b.finish(), {{2, 4, 4}}, "outer/",
                   [&](const std::string& path, const std::shared_ptr<torch::nn::Module>&) {
                     paths.push_back(path);
                   });
  EXPECT_THAT(paths, testing::UnorderedElementsAre("outer/op/cell/relu", "outer/op/skip",
                                                   "outer/op", "outer/pooled"));
}

TEST(MakeProgram, HasAnInstructionForEachNodeThatIsNoInput) {
  const Program program =
      make_program(ir::lower(every_choice_space()), {{3, 7, 5}}, "", [](const auto&...) {});
  ASSERT_EQ(program.values.size(), 12);
  ASSERT_EQ(program.instructions.size(), 11);
  EXPECT_THAT(program.inputs, ElementsAre(0));
  EXPECT_THAT(program.outputs, ElementsAre(11));
  EXPECT_EQ(program.values[1].name, "stem/conv");
  EXPECT_THAT(program.values[1].shape, ElementsAre(4, 7, 5));
  EXPECT_THAT(program.values[7].shape, ElementsAre(8, 7, 5));
  for (size_t i = 0; i < program.instructions.size(); ++i) {
    EXPECT_EQ(program.instructions[i]->place(), i + 1);
    EXPECT_THAT(program.instructions[i]->outputs(), ElementsAre(i + 1));
  }
  EXPECT_THAT(program.instructions[0]->inputs(), ElementsAre(0));
  const auto& first = dynamic_cast<const LayerChoiceInstruction&>(*program.instructions[2]);
  EXPECT_EQ(first.choice()->info().label, "first");
  EXPECT_EQ(first.branches().size(), 4);
  EXPECT_TRUE(first.branches()[0].interpreter) << "a cell";
  EXPECT_FALSE(first.branches()[1].interpreter) << "a primitive";
  const auto& mean = dynamic_cast<const InputChoiceInstruction&>(*program.instructions[5]);
  EXPECT_THAT(mean.choice()->info().fed_by, ElementsAre("", "first", "second"));
}

TEST(MakeProgram, KnowsWhichSizesAreChoices) {
  Builder b("net");
  const Wire x = b.input("x", {2, 4, 4});
  const Dim width = ValueChoice<int64_t>("width", {3, 5});
  const Wire conv = b.add("conv", ops::conv2d({.out = width}), {x});
  const Wire joined = b.add("joined", ops::concat(), {b.add("relu", ops::relu(), {conv}), x});
  b.output("y", b.add("last", ops::conv2d({.out = 4}), {joined}));
  std::vector<std::string> paths;
  const Program program =
      make_program(b.finish(), {{2, 4, 4}}, "outer/",
                   [&](const std::string& path, const std::shared_ptr<torch::nn::Module>&) {
                     paths.push_back(path);
                   });
  EXPECT_THAT(paths, ElementsAre("outer/value_choice:width", "outer/conv", "outer/relu",
                                 "outer/joined", "outer/last"));
  const std::vector<ValueInfo>& values = program.values;
  EXPECT_FALSE(values[0].channels);
  EXPECT_THAT(values[2].shape, ElementsAre(5, 4, 4));
  EXPECT_THAT(values[2].channels->labels(), ElementsAre("width"));
  EXPECT_THAT(values[3].shape, ElementsAre(7, 4, 4));
  EXPECT_TRUE(values[3].channels);
  EXPECT_FALSE(values[4].channels);
  EXPECT_EQ(program.sizes.count("width"), 1);
}

}  // namespace
}  // namespace retia::executor
