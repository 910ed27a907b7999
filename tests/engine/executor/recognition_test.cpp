#include "retia/engine/executor/recognition.h"

#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/executor/network.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"
#include "retia/tests/engine/executor/fake_instruction.h"

namespace retia::executor {
namespace {

using testing::ElementsAre;

/// A network, layer by layer, of one operation on an image of 4 channels.
class Recognition : public testing::Test {
 protected:
  const LayerInstruction& instruction_of(const ir::Operation& operation) {
    Builder b("net");
    b.output("y", b.add("op", operation, {b.input("x", {4, 8, 8})}));
    network_ = Network(b.finish(), 1);
    network_->set_executor(Executor::Reference);
    return *as_layer(*network_->program().instructions.front());
  }
  std::string type() const {
    const Program& program = network_->program();
    return decided_type(program, *program.instructions.front());
  }

  Network network_ = nullptr;
};

TEST_F(Recognition, KnowsTheTypeOfALayerWhoseSizesAreDecided) {
  const LayerInstruction& conv = instruction_of(ops::conv2d({.out = 6, .bias = true}));
  EXPECT_EQ(type(), "conv2d");
  EXPECT_THAT(parameter_of(conv, "weight").sizes(), ElementsAre(6, 4, 3, 3));
  EXPECT_THAT(parameter_of(conv, "bias").sizes(), ElementsAre(6));
  EXPECT_FALSE(parameter_of(conv, "scale").defined());
  instruction_of(ops::conv2d({.kernel = ValueChoice<int64_t>("k", {3, 5})}));
  EXPECT_EQ(type(), "") << "an option is a choice";
  instruction_of(ops::conv2d({.out = ValueChoice<int64_t>("out", {3, 5})}));
  EXPECT_EQ(type(), "") << "a size is a choice";
}

TEST_F(Recognition, KnowsConvolutionsThatKeepTheSize) {
  const auto found = convolution(instruction_of(
      ops::conv2d({.kernel = 5, .stride = 2, .padding = 4, .dilation = 2, .depthwise = true})));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->kernel, 5);
  EXPECT_EQ(found->stride, 2);
  EXPECT_EQ(found->dilation, 2);
  EXPECT_FALSE(convolution(instruction_of(ops::conv2d({.bias = true}))));
  EXPECT_FALSE(convolution(instruction_of(ops::conv2d({.kernel = 2}))));
  EXPECT_FALSE(convolution(instruction_of(ops::conv2d({.padding = 0}))));
}

TEST_F(Recognition, KnowsPoolsOfThree) {
  EXPECT_TRUE(is_pool_of_three(instruction_of(ops::max_pool2d())));
  EXPECT_TRUE(is_pool_of_three(instruction_of(ops::avg_pool2d({.stride = 2, .padding = 1}))));
  EXPECT_FALSE(is_pool_of_three(instruction_of(ops::max_pool2d({.kernel = 5}))));
  EXPECT_FALSE(is_pool_of_three(instruction_of(ops::max_pool2d({.padding = 0}))));
}

TEST_F(Recognition, GivesTheTensorsOfANormalisation) {
  const Norm norm = norm_of(instruction_of(ops::batch_norm({.epsilon = 0.25})));
  EXPECT_EQ(norm.epsilon, 0.25);
  EXPECT_TRUE(norm.running_mean.is_same(norm.layer->running_statistics()[0]));
  EXPECT_TRUE(norm.running_var.is_same(norm.layer->running_statistics()[1]));
}

TEST(Uses, ListsWhoWritesAndWhoReads) {
  Program program = chain_of_three();
  program.instructions.back() = fake("c", {3, {2, 2, 0}, {3}});
  program.outputs = {3, 1};
  const Uses uses = uses_of(program);
  EXPECT_EQ(uses.writer[0], std::nullopt);
  EXPECT_EQ(uses.writer[2], 1u);
  EXPECT_THAT(uses.readers[0], ElementsAre(0, 2));
  EXPECT_THAT(uses.readers[1], ElementsAre(1, 3)) << "the program returns it";
  EXPECT_THAT(uses.readers[2], ElementsAre(2, 2)) << "once per read";
  EXPECT_THAT(uses.readers[3], ElementsAre(3));
}

TEST(Uses, CountReadsOfReplacedInstructionsOnce) {
  Program program = chain_of_three();
  const InstructionPtr b = program.instructions[1];
  program.put(fake("less", {2, {0}, {2}, {b, fake("d", {2, {0}, {2}})}}));
  const Uses uses = uses_of(program);
  EXPECT_THAT(uses.readers[0], ElementsAre(0, 1));
  EXPECT_THAT(uses.readers[1], ElementsAre(1));
}

TEST(DtypeBeside, IsThatOfWeightsAndStatistics) {
  EXPECT_EQ(dtype_beside(at::ones({1, 2, 3, 3})), at::kFloat);
  EXPECT_EQ(dtype_beside(at::ones({1, 2, 3, 3}, at::kDouble)), at::kDouble);
  EXPECT_EQ(dtype_beside(at::ones({1, 2, 3, 3}, at::kBFloat16)), std::nullopt) << "on a CPU";
  EXPECT_EQ(dtype_beside(at::ones({1, 2, 3, 3}, at::kLong)), std::nullopt);
  EXPECT_EQ(dtype_beside(at::ones({2, 3, 3})), std::nullopt) << "no batch";
  EXPECT_EQ(dtype_beside(at::ones({0, 2, 3, 3})), std::nullopt) << "empty";
}

}  // namespace
}  // namespace retia::executor
