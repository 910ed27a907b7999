#include "retia/engine/executor/passes/mixed_ops_instruction.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "retia/engine/executor/network.h"
#include "retia/engine/executor/passes/mixed_ops.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/ops/pool_bn.h"

namespace retia::executor {
namespace {

using testing::HasSubstr;

constexpr double kSize = 4 * 6 * 7;  // of x and of each result

/// The sum of `n_edges` choices of one image between a pool, the image itself, and a convolution.
Program fused(int64_t n_edges) {
  Builder b("net");
  const Wire x = b.input("x", {4, 6, 7});
  std::vector<Wire> edges;
  for (int64_t i = 0; i < n_edges; ++i) {
    edges.push_back(
        b.layer_choice("edge" + std::to_string(i),
                       {{"pool", ops::pool_bn({.pooling = Pooling::Max, .affine = false})},
                        {"skip", ops::identity()},
                        {"plain", ops::conv2d({.kernel = 1})}},
                       {x}));
  }
  b.output("y", edges.size() == 1 ? edges.front() : b.add("sum", ops::add(), edges));
  Network network(b.finish(), 1);
  network->set_executor(Executor::Reference);
  return fuse_mixed_ops(network->program());
}

const MixedOps& first_of(const Program& program) {
  return dynamic_cast<const MixedOps&>(*program.instructions.front());
}

TEST(MixedOpsInstruction, SaysWhatItBlendsAndWhatRunsAsItIs) {
  const Program program = fused(1);
  const std::string text = first_of(program).describe(program);
  EXPECT_THAT(text, HasSubstr("edge0: mixed_op of stride 1 of pool skip\n"));
  EXPECT_THAT(text, HasSubstr("as they are: plain (mixed_op has no such branch)"));
}

TEST(MixedOpsInstruction, NamesItsSiblings) {
  const Program program = fused(3);
  EXPECT_THAT(first_of(program).describe(program),
              testing::StartsWith("readers of x: mixed_op of stride 1 for 3 siblings\nedge0: "));
}

/// The pool is written and read, x read twice, the result written. The plain convolution, of 4 times
/// 4 products a pixel, reads x and writes. Layer by layer: the pool and its normalisation read and
/// write, and each known candidate is weighed and added.
TEST(MixedOpsInstruction, CountsWhatOneEdgeMoves) {
  const Program program = fused(1);
  const Work work = first_of(program).cost(program);
  EXPECT_EQ(work.numbers, (2 + 2 + 1 + 2) * kSize);
  EXPECT_EQ(work.unfused_numbers, (4 + 3 + 3 + 2) * kSize);
}

/// The second edge reads the pool, which is there, and writes its result.
TEST(MixedOpsInstruction, CountsWhatASecondEdgeAdds) {
  const Program one = fused(1), two = fused(2);
  const double more = first_of(two).cost(two).numbers - first_of(one).cost(one).numbers;
  EXPECT_EQ(more, (1 + 2 + 1) * kSize);
}

}  // namespace
}  // namespace retia::executor
