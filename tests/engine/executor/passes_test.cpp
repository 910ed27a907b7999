#include "retia/engine/executor/passes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "retia/engine/executor/explain.h"
#include "retia/models/darts_cnn.h"
#include "retia/models/spos_shufflenet.h"
#include "retia/mutators/darts.h"
#include "retia/mutators/random.h"
#include "retia/tests/engine/executor/fake_instruction.h"
#include "retia/tests/engine/executor/fused_results.h"
#include "retia/tests/error_of.h"

namespace retia::executor {
namespace {

using testing::HasSubstr;

std::vector<std::string> names(const std::vector<Pass>& passes) {
  std::vector<std::string> all;
  for (const Pass& pass : passes) {
    all.push_back(pass.name);
  }
  return all;
}

TEST(Passes, AreOfTheFusedExecutor) {
  EXPECT_THAT(names(standard_passes()),
              testing::IsSupersetOf({"fuse_mixed_ops", "fuse_conv_norm", "share_splits"}));
  EXPECT_EQ(names(passes_of(Executor::Fused)), names(standard_passes()));
  EXPECT_TRUE(passes_of(Executor::Reference).empty());
  EXPECT_EQ(executor_of("reference"), Executor::Reference);
  EXPECT_EQ(executor_of("fused"), Executor::Fused);
  EXPECT_THAT(error_of([] { executor_of("fast"); }),
              HasSubstr("expected the executor reference or fused, got 'fast'"));
}

TEST(Passes, EachAloneAndAllButEachEqualLayerByLayer) {
  const ir::Graph darts =
      darts_cnn({.channels = 8, .layers = 2, .nodes = 2, .partial_channels = 4}, {{3, 8, 8}, 3});
  const ir::Graph shufflenet =
      spos_shufflenet({.width = 0.25, .blocks = {1, 1, 1, 1}, .stem_stride = 1, .last_channels = 8},
                      {{3, 16, 16}, 3});
  const Results blended = results_of<DartsMutator>(darts, std::vector<Pass>(), Mode::Training, 3,
                                                   AlphaOptions{.seed = 1});
  const Results path = results_of<RandomMutator>(shufflenet, std::vector<Pass>(), Mode::Training, 3,
                                                 RandomMutatorOptions{.seed = 1});
  for (const Pass& pass : standard_passes()) {
    SCOPED_TRACE(pass.name);
    std::vector<Pass> others;
    for (const Pass& other : standard_passes()) {
      if (other.name != pass.name) {
        others.push_back(other);
      }
    }
    for (const std::vector<Pass>& passes : {std::vector{pass}, others}) {
      expect_same(
          results_of<DartsMutator>(darts, passes, Mode::Training, 3, AlphaOptions{.seed = 1}),
          blended);
      expect_same(results_of<RandomMutator>(shufflenet, passes, Mode::Training, 3,
                                            RandomMutatorOptions{.seed = 1}),
                  path);
    }
  }
}

TEST(Passes, ShowTheProgramAfterEach) {
  Network network(
      darts_cnn({.channels = 8, .layers = 1, .nodes = 1, .partial_channels = 4}, {{3, 8, 8}, 3}),
      1);
  network->set_executor(Executor::Reference);
  std::map<std::string, std::string> shown;
  run_passes(network->program(), standard_passes(), [&](const Pass& pass, const Program& program) {
    shown[pass.name] = explain(program);
  });
  EXPECT_THAT(shown["fuse_mixed_ops"], HasSubstr("mixed_op of stride"));
  EXPECT_THAT(shown["fuse_mixed_ops"], testing::Not(HasSubstr("conv_norm")));
  EXPECT_THAT(shown["fuse_conv_norm"], HasSubstr("conv_norm"));
  EXPECT_THAT(shown["fuse_conv_norm"], testing::Not(HasSubstr("split into")));
  EXPECT_THAT(shown["share_splits"], HasSubstr("split into"));
}

TEST(Passes, AreCheckedByName) {
  const std::vector<Pass> passes = {{"loses_one", [](Program program) {
                                       program.instructions.erase(program.instructions.begin());
                                       return program;
                                     }}};
  EXPECT_THAT(error_of([&] { run_passes(chain_of_three(), passes); }),
              HasSubstr("after the pass loses_one: 'b' reads 'v1' before it is written"));
}

}  // namespace
}  // namespace retia::executor
