#include "retia/models/spos_chain.h"

#include "retia/engine/cost/profile.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/models/tasks.h"

namespace retia {
namespace {

const SposChainOptions kSmallSposChain{.channels = 4, .layers = 3};

TEST(SposChain, HasAsManyWeightsAsItsPeerInPyTorch) {
  const ir::Graph space = spos_chain({}, kCifar);
  EXPECT_EQ(count_parameters(*Network(space, 1)), 91'162);
  const std::vector<Mutable> choices = ir::mutables(space);
  ASSERT_EQ(choices.size(), 12u);
  EXPECT_EQ(choices[11].label, "block11");
  EXPECT_EQ(choices[11].names,
            (std::vector<std::string>{"shuffle3", "shuffle5", "shuffle7", "xception"}));
}

TEST(SposChain, ReadsBackEqualFromJson) {
  expect_reads_back_equal(spos_chain(kSmallSposChain, kCifar));
}

TEST(SposChain, RunsEveryCandidateAlsoOnOddSizes) {
  expect_every_candidate_runs(spos_chain(kSmallSposChain, {{1, 8, 8}, 10}), {1, 8, 8}, 10);
  expect_every_candidate_runs(spos_chain(kSmallSposChain, {{2, 7, 5}, 3}), {2, 7, 5}, 3);
}

TEST(SposChain, FreezesToWhatTheSupernetComputesOnThatPath) {
  expect_frozen_equals_path(spos_chain(kSmallSposChain, {{1, 8, 8}, 10}), {1, 8, 8});
}

TEST(SposChain, CostsWhatIsCountedByHand) {
  const Task task{.input = {1, 8, 8}, .n_outputs = 10};
  const ir::Graph space = spos_chain({.channels = 4, .layers = 1}, task);
  // Stem 1 -> 4 by 3 x 3; a unit on half of the 4 channels: 2 -> 2, depthwise 5 x 5, 2 -> 2, all on
  // 8 x 8; head 4 -> 10.
  const ir::Cost cost = ir::total_cost(ir::freeze(space, {{"block0", {{1}}}}));
  EXPECT_EQ(cost.multiply_adds.value(), 64 * (36 + 4 + 50 + 4) + 40);
  EXPECT_EQ(cost.parameters.value(), (36 + 8) + (4 + 4) + (50 + 4) + (4 + 4) + (40 + 10));
}

TEST(SposChain, RefusesAnOddNumberOfChannels) {
  EXPECT_THAT(error_of([] { spos_chain({.channels = 5}, kCifar); }),
              testing::HasSubstr("channels must be even, got 5"));
}

}  // namespace
}  // namespace retia
