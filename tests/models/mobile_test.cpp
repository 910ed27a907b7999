#include "retia/models/mobile.h"

#include <algorithm>
#include <cmath>

#include "retia/engine/cost/profile.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/models/tasks.h"

namespace retia {
namespace {

const MobileOptions kSmallMobile{.blocks = {2, 2},
                                 .channels = {6, 8},
                                 .strides = {1, 2},
                                 .stem_channels = 4,
                                 .stem_stride = 1,
                                 .first_channels = 6,
                                 .last_channels = 12};

const std::vector<std::string> kBlocks = {"k3_e3", "k3_e6", "k5_e3", "k5_e6", "k7_e3", "k7_e6"};

std::vector<std::string> with_skip() {
  std::vector<std::string> names = kBlocks;
  names.push_back("skip");
  return names;
}

/// The architecture of the named blocks.
Architecture named(const ir::Graph& space, const std::vector<std::string>& blocks) {
  Architecture architecture;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const std::vector<std::string> names = with_skip();
    const auto found = std::find(names.begin(), names.end(), blocks[i]);
    architecture["block" + std::to_string(i)].chosen = {found - names.begin()};
  }
  EXPECT_EQ(architecture.size(), ir::mutables(space).size());
  return architecture;
}

TEST(Mobile, ChoosesSixBlocksOfSixAndFifteenOfSeven) {
  const std::vector<Mutable> choices = ir::mutables(mobile({}, kImageNet));
  ASSERT_EQ(choices.size(), 21u);
  for (size_t i = 0; i < choices.size(); ++i) {
    EXPECT_EQ(choices[i].label, "block" + std::to_string(i));
    EXPECT_EQ(choices[i].names, i % 4 == 0 ? kBlocks : with_skip()) << i;
  }
}

TEST(Mobile, HasAsManyWeightsAsThePublishedNetworks) {
  const ir::Graph phone = mobile({}, kImageNet);
  const ir::Cost of_phone = ir::total_cost(ir::freeze(
      phone, named(phone, {"k5_e3", "k3_e3", "skip",  "skip",  "k7_e3", "k3_e3", "k5_e3",
                           "k5_e3", "k7_e6", "k5_e3", "k5_e3", "k5_e3", "k5_e6", "k5_e3",
                           "k5_e3", "k5_e3", "k7_e6", "k7_e6", "k7_e3", "k7_e3", "k7_e6"})));
  EXPECT_EQ(of_phone.parameters.value(), 4'080'512);
  EXPECT_EQ(std::lround(static_cast<double>(of_phone.multiply_adds.value()) / 1e6), 320);
  const ir::Graph gpu = mobile({.channels = {32, 56, 112, 128, 256, 432},
                                .stem_channels = 40,
                                .first_channels = 24,
                                .last_channels = 1728},
                               kImageNet);
  const ir::Cost of_gpu = ir::total_cost(
      ir::freeze(gpu, named(gpu, {"k5_e3", "skip",  "skip",  "skip",  "k7_e3", "k3_e3", "skip",
                                  "skip",  "k7_e6", "k5_e3", "skip",  "skip",  "k5_e6", "k3_e3",
                                  "k5_e3", "skip",  "k7_e6", "k7_e6", "k7_e6", "k5_e6", "k7_e6"})));
  EXPECT_EQ(of_gpu.parameters.value(), 7'119'848);
}

TEST(Mobile, CostsWhatIsCountedByHand) {
  const MobileOptions options{.blocks = {1},
                              .channels = {8},
                              .strides = {2},
                              .stem_channels = 4,
                              .stem_stride = 1,
                              .first_channels = 6,
                              .last_channels = 10};
  const ir::Graph space = mobile(options, kDigits);
  const ir::Cost cost = ir::total_cost(ir::freeze(space, {{"block0", {{2}}}}));
  // On 8 x 8: stem 1 -> 4 by 3 x 3, first 3 x 3 each and 4 -> 6, block 6 -> 18; on 4 x 4: 5 x 5
  // each, 18 -> 8, last 8 -> 10; head 10 -> 10.
  EXPECT_EQ(cost.multiply_adds.value(), 64 * (36 + 36 + 24 + 108) + 16 * (450 + 144 + 80) + 100);
  const int64_t norms = 2 * (4 + 4 + 6 + 18 + 18 + 8 + 10);
  EXPECT_EQ(cost.parameters.value(), 36 + 36 + 24 + 108 + 450 + 144 + 80 + norms + 100 + 10);
}

TEST(Mobile, SkipsABlockAtNoCost) {
  const ir::Graph space = mobile(kSmallMobile, kDigits);
  const auto count = [&](const std::vector<std::string>& blocks) {
    return ir::profile(ir::freeze(space, named(space, blocks))).size();
  };
  // expand, depthwise and project, each normalised, two relu6 and the sum.
  EXPECT_EQ(count({"k3_e3", "k3_e3", "k3_e3", "k3_e3"}),
            count({"skip", "k3_e3", "k3_e3", "skip"}) + 2 * (9 - 1));
}

TEST(Mobile, ReadsBackEqualFromJson) { expect_reads_back_equal(mobile(kSmallMobile, kDigits)); }

TEST(Mobile, RunsEveryCandidateAlsoOnOddSizes) {
  expect_every_candidate_runs(mobile(kSmallMobile, kDigits), {1, 8, 8}, 10);
  expect_every_candidate_runs(mobile(kSmallMobile, {{2, 7, 5}, 3}), {2, 7, 5}, 3);
}

TEST(Mobile, FreezesToWhatTheSupernetComputesOnThatPath) {
  expect_frozen_equals_path(mobile(kSmallMobile, kDigits), {1, 8, 8});
}

TEST(Mobile, ScalesChannelsToMultiplesOfEightButNeverTheLastBelow) {
  const auto shapes = [](double width) {
    const ir::Graph space = mobile({.width = width}, kDigits);
    std::map<std::string, std::string> made;
    for (const ir::NodeCost& node :
         ir::profile(ir::freeze(space, uniform_architecture(ir::mutables(space), 0)))) {
      made[node.name] = ir::to_string(node.output);
    }
    return made;
  };
  std::map<std::string, std::string> made = shapes(0.35);
  EXPECT_EQ(made.at("stem/relu"), "[16, 4, 4]");                  // 11.2: 8 would be too few
  EXPECT_EQ(made.at("block4/k3_e3/project_bn"), "[16, 1, 1]");    // 14
  EXPECT_EQ(made.at("block20/k3_e3/project_bn"), "[112, 1, 1]");  // 112
  EXPECT_EQ(made.at("last/relu"), "[1280, 1, 1]");
  made = shapes(1.4);
  EXPECT_EQ(made.at("stem/relu"), "[48, 4, 4]");  // 44.8
  EXPECT_EQ(made.at("last/relu"), "[1792, 1, 1]");
}

const MobileOptions kElastic{.blocks = {2, 2},
                             .channels = {8, 16},
                             .strides = {1, 2},
                             .stem_channels = 4,
                             .stem_stride = 1,
                             .first_channels = 4,
                             .last_channels = 12,
                             .elastic = true,
                             .widths = {1, 2}};

TEST(Mobile, ChoosesKernelsExpansionsAndWidthsWhereItIsElastic) {
  std::map<std::string, std::vector<std::string>> choices;
  for (const Mutable& choice : ir::mutables(mobile(kElastic, kDigits))) {
    choices[choice.label] = choice.names;
  }
  std::map<std::string, std::vector<std::string>> expected = {{"stage0/width", {"8", "16"}},
                                                              {"stage1/width", {"16", "32"}}};
  for (const std::string block : {"block0", "block1", "block2", "block3"}) {
    expected[block + "/kernel"] = {"3", "5", "7"};
    expected[block + "/expansion"] = {"3", "6"};
  }
  expected["block1"] = expected["block3"] = {"block", "skip"};
  EXPECT_EQ(choices, expected);
}

TEST(Mobile, SharesWeightsBetweenTheOptionsOfAnElasticSpace) {
  const ir::Graph space = mobile(kElastic, kDigits);
  // As many weights as the largest architecture has.
  Architecture largest;
  for (const Mutable& choice : ir::mutables(space)) {
    largest[choice.label] = {
        {choice.kind == MutableKind::LayerChoice ? 0 : choice.n_candidates() - 1}};
  }
  EXPECT_EQ(count_parameters(*Network(space, 1)),
            ir::total_cost(ir::freeze(space, largest)).parameters.value());
  expect_frozen_equals_path(space, kDigits.input);
  expect_reads_back_equal(space);
}

TEST(Mobile, RefusesStagesThatItCannotBuild) {
  EXPECT_THAT(error_of([] {
                mobile({.widths = {1, 2}}, kDigits);
              }),
              testing::HasSubstr("space.elastic=true"));
  EXPECT_THAT(error_of([] {
                mobile({.blocks = {1, 2}}, kDigits);
              }),
              testing::HasSubstr("one number per stage each, got 2, 6 and 6"));
  EXPECT_THAT(error_of([] { mobile({.blocks = {0}, .channels = {8}, .strides = {1}}, kDigits); }),
              testing::HasSubstr("blocks.0 must be at least 1, got 0"));
  EXPECT_THAT(error_of([] { mobile({.width = -1}, kDigits); }),
              testing::HasSubstr("width must be above 0, got -1"));
}

}  // namespace
}  // namespace retia
