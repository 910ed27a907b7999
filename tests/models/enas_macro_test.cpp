#include "retia/models/enas_macro.h"

#include "retia/engine/cost/profile.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/models/tasks.h"

namespace retia {
namespace {

using testing::ElementsAre;

const EnasMacroOptions kSmallEnasMacro{.channels = 4, .layers = 4};

TEST(EnasMacro, HasAsManyWeightsAsItsPeerInPyTorch) {
  EXPECT_EQ(count_parameters(*Network(enas_macro({}, kCifar), 1)), 145'210);
}

TEST(EnasMacro, DecidesAnOperationAndAnyEarlierOutputsForEachLayer) {
  const std::vector<Mutable> choices = ir::mutables(enas_macro({}, kCifar));
  ASSERT_EQ(choices.size(), 23u);
  EXPECT_EQ(choices[0].label, "layer0/op");
  EXPECT_THAT(choices[0].names, ElementsAre("conv3x3", "conv5x5", "sep_conv3x3", "sep_conv5x5",
                                            "avg_pool3x3", "max_pool3x3"));
  EXPECT_EQ(choices[5].label, "layer3/op");
  EXPECT_EQ(choices[6].label, "layer3/skip");
  EXPECT_THAT(choices[6].names, ElementsAre("stem", "layer0", "layer1"));
  EXPECT_EQ(choices[6].n_chosen, std::nullopt);
}

TEST(EnasMacro, ReadsBackEqualFromJson) {
  expect_reads_back_equal(enas_macro(kSmallEnasMacro, kCifar));
}

TEST(EnasMacro, RunsEveryCandidateAlsoOnOddSizes) {
  expect_every_candidate_runs(enas_macro(kSmallEnasMacro, {{1, 8, 8}, 10}), {1, 8, 8}, 10);
  expect_every_candidate_runs(enas_macro(kSmallEnasMacro, {{2, 7, 5}, 3}), {2, 7, 5}, 3);
  expect_every_candidate_runs(enas_macro({.layers = 1}, {{1, 4, 4}, 2}), {1, 4, 4}, 2);
}

TEST(EnasMacro, FreezesToWhatTheSupernetComputesOnThatPath) {
  expect_frozen_equals_path(enas_macro(kSmallEnasMacro, {{1, 8, 8}, 10}), {1, 8, 8});
}

TEST(EnasMacro, HalvesOnlyTheOutputsThatAreRead) {
  const Task task{.input = {1, 8, 8}, .n_outputs = 10};
  const ir::Graph space = enas_macro({.channels = 4, .layers = 2}, task);
  const auto cost = [&](const std::vector<int64_t>& skips) {
    return ir::total_cost(
        ir::freeze(space, {{"layer0/op", {{4}}}, {"layer1/op", {{5}}}, {"layer1/skip", {skips}}}));
  };
  // Stem 1 -> 4 by 3 x 3 and a pointwise 4 -> 4 of the first pooling on 8 x 8; on 4 x 4 the halved
  // layer 0, the other pointwise convolution and, where it is read, the halved stem; head 4 -> 10.
  const int64_t without = 64 * (36 + 16) + 16 * (16 + 16) + 40;
  EXPECT_EQ(cost({}).multiply_adds.value(), without);
  EXPECT_EQ(cost({0}).multiply_adds.value(), without + 16 * 16);
  // Normalisations: the stem's, two a pooling and one a layer, and the halved layer's.
  EXPECT_EQ(cost({}).parameters.value(), 36 + 3 * 16 + 8 * 8 + 50);
  EXPECT_EQ(cost({0}).parameters.value(), 36 + 4 * 16 + 9 * 8 + 50);
}

TEST(EnasMacro, RefusesTooFewChannelsOrLayers) {
  EXPECT_THAT(error_of([] { enas_macro({.channels = 1}, kCifar); }),
              testing::HasSubstr("channels must be at least 2, got 1"));
}

}  // namespace
}  // namespace retia
