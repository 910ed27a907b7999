#include "retia/engine/executor/program.h"

#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/executor/fake_instruction.h"

namespace retia::executor {
namespace {

using testing::ElementsAre;

TEST(Program, PutsAnInstructionInItsPlaceAndTakesOutWhatItReplaced) {
  Program program = chain_of_three();
  const std::vector<InstructionPtr> old = program.instructions;
  const InstructionPtr early = fake("ab", {1, {0}, {2}, {old[0], old[1]}});
  program.put(early);
  EXPECT_THAT(program.instructions, ElementsAre(early, old[2]));
  const InstructionPtr all = fake("abc", {3, {0}, {3}, {early, old[2]}});
  program.put(all);
  EXPECT_THAT(program.instructions, ElementsAre(all));
}

TEST(Program, CostsWhatItsInstructionsCostAndNotWhatTheyReplaced) {
  Program program = chain_of_three();
  EXPECT_EQ(cost(program).multiply_adds, 3);
  EXPECT_EQ(cost(program).numbers, 6);
  EXPECT_EQ(cost(program).unfused_numbers, 9);
  const std::vector<InstructionPtr> old = program.instructions;
  program.put(fake("ab", {2, {0}, {2}, {old[0], old[1]}}));
  EXPECT_EQ(cost(program).multiply_adds, 2);
  EXPECT_EQ(size_of({.name = "x", .shape = {2, 3, 5}}), 30);
}

TEST(Frame, HoldsTheTensorsOfOneRun) {
  const std::vector<bool> live = {true, false, true};
  const std::vector<at::Tensor> inputs = {at::ones({1})};
  Frame frame(live, inputs);
  frame[2] = at::ones({2});
  EXPECT_FALSE(frame[0].defined());
  EXPECT_TRUE(frame.is_live(0));
  EXPECT_FALSE(frame.is_live(1));
  EXPECT_EQ(frame.at({2, 0}).front().numel(), 2);
  EXPECT_EQ(frame.inputs().size(), 1);
}

}  // namespace
}  // namespace retia::executor
