#include "retia/engine/executor/passes/summed_edges.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "retia/engine/executor/network.h"
#include "retia/engine/executor/passes/mixed_ops.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/ops/pool_bn.h"

namespace retia::executor {
namespace {

using testing::ElementsAre;

Wire edge(Builder& b, const std::string& name, Wire x) {
  return b.layer_choice(name,
                        {{"pool", ops::pool_bn({.pooling = Pooling::Max, .affine = false})},
                         {"skip", ops::identity()}},
                        {x});
}

Program fused(Builder& b) {
  Network network(b.finish(), 1);
  network->set_executor(Executor::Reference);
  return fuse_mixed_ops(network->program());
}

/// The names of the values that an instruction reads, and of those that it writes.
std::vector<std::string> names(const Program& program, const std::vector<Value>& values) {
  std::vector<std::string> found;
  for (const Value value : values) {
    found.push_back(program.values[value].name);
  }
  return found;
}

TEST(SumEdges, LetsAChainOfEdgesAddToOneSum) {
  Builder b("net");
  const Wire x = b.input("x", {4, 6, 6});
  const Wire first = edge(b, "first", x);
  b.output("y", b.add("sum", ops::add(), {edge(b, "a", x), edge(b, "b", first), x}));
  const Program program = fused(b);
  ASSERT_EQ(program.instructions.size(), 3u);
  const Instruction& of_x = *program.instructions[0];
  EXPECT_THAT(names(program, of_x.inputs()), ElementsAre("x"));
  EXPECT_THAT(names(program, of_x.outputs()), ElementsAre("first", "sum"));
  const Instruction& of_first = *program.instructions[1];
  EXPECT_THAT(names(program, of_first.inputs()), ElementsAre("first", "sum")) << "the sum so far";
  EXPECT_THAT(names(program, of_first.outputs()), ElementsAre("sum"));
  const Instruction& rest = *program.instructions[2];
  EXPECT_EQ(rest.describe(program), "sum: sum of inputs, by its edges");
  EXPECT_THAT(names(program, rest.inputs()), ElementsAre("sum", "x")) << "what is no edge";
  EXPECT_EQ(rest.outputs(), program.outputs);
}

TEST(SumEdges, KeepsWhatAddsOtherwise) {
  Builder b("net");
  const Wire x = b.input("x", {4, 6, 6});
  b.output("y", b.add("sum", ops::add(), {edge(b, "a", x), x}));
  const Program program = fused(b);
  const std::vector<InstructionPtr>& kept = program.instructions[0]->replaced();
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(title_of(*kept[0], program), "a: mixed_op of stride 1 of pool skip");
  EXPECT_EQ(title_of(*kept[1], program), "sum: sum so far");
  EXPECT_EQ(title_of(*program.instructions[1]->replaced().front(), program), "sum: add");
}

TEST(SumEdges, LeavesEdgesThatOthersReadToo) {
  Builder b("net");
  const Wire x = b.input("x", {4, 6, 6});
  const Wire a = edge(b, "a", x);
  const Wire sum = b.add("sum", ops::add(), {a, x});
  b.output("y", b.add("all", ops::concat(), {a, sum}));
  const Program program = fused(b);
  EXPECT_EQ(program.instructions.size(), 3u);
  EXPECT_THAT(names(program, program.instructions[0]->outputs()), ElementsAre("a"));
  EXPECT_EQ(program.instructions[1]->describe(program), "sum: add");
}

}  // namespace
}  // namespace retia::executor
