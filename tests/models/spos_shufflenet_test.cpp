#include "retia/models/spos_shufflenet.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <numeric>

#include "retia/engine/cost/profile.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/models/tasks.h"

namespace retia {
namespace {

const SposShuffleNetOptions kSmallSposShuffleNet{.blocks = {1, 2},
                                                 .channels = {8, 12},
                                                 .stem_channels = 4,
                                                 .stem_stride = 1,
                                                 .last_channels = 16};

Architecture blocks(const std::vector<int64_t>& chosen) {
  Architecture architecture;
  for (size_t i = 0; i < chosen.size(); ++i) {
    architecture["block" + std::to_string(i)].chosen = {chosen[i]};
  }
  return architecture;
}

ir::Cost cost(const ir::Graph& space, const Architecture& architecture) {
  return ir::total_cost(ir::freeze(space, architecture));
}

/// Multiply-adds and weights, counted layer by layer from table 1 of the paper.
class PaperCount {
 public:
  explicit PaperCount(const std::vector<int64_t>& chosen) {
    convolve(3, 16, 3, 112);
    int64_t in = 16, size = 112;
    size_t block = 0;
    for (const auto& [repeats, out] :
         std::vector<std::pair<int64_t, int64_t>>{{4, 64}, {4, 160}, {8, 320}, {4, 640}}) {
      for (int64_t i = 0; i < repeats; ++i) {
        add_block(chosen[block++], in, out, i == 0, size);
        size = i == 0 ? size / 2 : size;
        in = out;
      }
    }
    convolve(640, 1024, 1, 7);
    multiply_adds += 1024 * 1000;
    parameters += 1024 * 1000 + 1000;
  }

  int64_t multiply_adds = 0, parameters = 0;

 private:
  void convolve(int64_t in, int64_t out, int64_t kernel, int64_t size) {
    multiply_adds += in * out * kernel * kernel * size * size;
    parameters += in * out * kernel * kernel + 2 * out;
  }
  void convolve_each(int64_t channels, int64_t kernel, int64_t size) {
    multiply_adds += channels * kernel * kernel * size * size;
    parameters += channels * kernel * kernel + 2 * channels;
  }
  void add_block(int64_t choice, int64_t in, int64_t out, bool strided, int64_t size) {
    const int64_t kernel = choice == 3 ? 3 : 3 + 2 * choice;
    const int64_t after = strided ? size / 2 : size;
    const int64_t read = strided ? in : in / 2, inside = out / 2, made = out - read;
    if (strided) {
      convolve_each(in, kernel, after);
      convolve(in, in, 1, after);
    }
    if (choice < 3) {
      convolve(read, inside, 1, size);
      convolve_each(inside, kernel, after);
      convolve(inside, made, 1, after);
    } else {
      convolve_each(read, 3, after);
      convolve(read, inside, 1, after);
      convolve_each(inside, 3, after);
      convolve(inside, inside, 1, after);
      convolve_each(inside, 3, after);
      convolve(inside, made, 1, after);
    }
  }
};

TEST(SposShuffleNet, ChoosesTwentyBlocksOfFour) {
  const std::vector<Mutable> choices = ir::mutables(spos_shufflenet({}, kImageNet));
  ASSERT_EQ(choices.size(), 20u);
  for (size_t i = 0; i < choices.size(); ++i) {
    EXPECT_EQ(choices[i].label, "block" + std::to_string(i));
    EXPECT_EQ(choices[i].names,
              (std::vector<std::string>{"shuffle3", "shuffle5", "shuffle7", "xception"}));
  }
}

TEST(SposShuffleNet, CostsWhatThePaperAndItsTableSay) {
  const ir::Graph space = spos_shufflenet({}, kImageNet);
  // What the authors publish as found: 323M, 3.5M parameters.
  const std::vector<int64_t> found = {2, 1, 0, 1, 2, 0, 2, 0, 2, 0, 2, 3, 0, 0, 0, 0, 3, 2, 3, 3};
  const ir::Cost of_found = cost(space, blocks(found));
  EXPECT_EQ(std::lround(static_cast<double>(of_found.multiply_adds.value()) / 1e6), 323);
  EXPECT_EQ(of_found.parameters.value() / 100'000, 35);
  for (const std::vector<int64_t>& chosen :
       {found, std::vector<int64_t>(20, 0), std::vector<int64_t>(20, 1),
        std::vector<int64_t>(20, 2), std::vector<int64_t>(20, 3)}) {
    const ir::Cost counted = cost(space, blocks(chosen));
    const PaperCount expected(chosen);
    EXPECT_EQ(counted.multiply_adds.value(), expected.multiply_adds) << chosen[0];
    EXPECT_EQ(counted.parameters.value(), expected.parameters) << chosen[0];
  }
}

TEST(SposShuffleNet, LiesMostlyInTheWindowOfMultiplyAddsOfThePapersSearch) {
  const ir::Graph space = spos_shufflenet({}, kImageNet);
  const std::vector<Mutable> choices = ir::mutables(space);
  Random random(1);
  std::vector<double> millions;
  for (int i = 0; i < 100; ++i) {
    const ir::Cost sampled = cost(space, random_architecture(choices, random));
    millions.push_back(static_cast<double>(sampled.multiply_adds.value()) / 1e6);
  }
  const auto [least, most] = std::minmax_element(millions.begin(), millions.end());
  const double mean = std::accumulate(millions.begin(), millions.end(), 0.0) / 100;
  std::cout << "multiply-adds of 100 networks: " << *least << " M to " << *most << " M, mean "
            << mean << " M\n";
  const auto inside = std::count_if(millions.begin(), millions.end(),
                                    [](double count) { return 290 <= count && count <= 360; });
  EXPECT_GE(inside, 95);
  EXPECT_NEAR(mean, 327, 5);
}

TEST(SposShuffleNet, ReadsBackEqualFromJson) {
  expect_reads_back_equal(spos_shufflenet(kSmallSposShuffleNet, kDigits));
}

TEST(SposShuffleNet, RunsEveryCandidateAlsoOnOddSizes) {
  expect_every_candidate_runs(spos_shufflenet(kSmallSposShuffleNet, kDigits), {1, 8, 8}, 10);
  expect_every_candidate_runs(spos_shufflenet(kSmallSposShuffleNet, {{2, 7, 5}, 3}), {2, 7, 5}, 3);
}

TEST(SposShuffleNet, FreezesToWhatTheSupernetComputesOnThatPath) {
  expect_frozen_equals_path(spos_shufflenet(kSmallSposShuffleNet, kDigits), {1, 8, 8});
}

TEST(SposShuffleNet, KeepsChannelsEvenAtAnyWidth) {
  const ir::Graph space = spos_shufflenet({.width = 0.37}, kDigits);
  const ir::Graph model = ir::freeze(space, uniform_architecture(ir::mutables(space), 0));
  std::map<std::string, std::string> made;
  for (const ir::NodeCost& node : ir::profile(model)) {
    made[node.name] = ir::to_string(node.output);
  }
  EXPECT_EQ(made.at("stem/relu"), "[6, 4, 4]");                 // 5.92
  EXPECT_EQ(made.at("block0/shuffle3/shuffle"), "[24, 2, 2]");  // 23.68
  EXPECT_EQ(made.at("block4/shuffle3/shuffle"), "[60, 1, 1]");  // 59.2
  EXPECT_EQ(made.at("last/relu"), "[1024, 1, 1]");
}

TEST(SposShuffleNet, RefusesStagesThatItCannotBuild) {
  EXPECT_THAT(error_of([] {
                spos_shufflenet({.blocks = {1, 2}}, kDigits);
              }),
              testing::HasSubstr("one number per stage each, got 2 and 4"));
  EXPECT_THAT(error_of([] { spos_shufflenet({.blocks = {1}, .channels = {7}}, kDigits); }),
              testing::HasSubstr("must be even, got 7"));
}

TEST(SposShuffleNet, ShrinksTheSideBranchWhereFewChannelsAreMade) {
  // 16 channels come in and 8 are made: 4 on the side.
  SposShuffleNetOptions options = kSmallSposShuffleNet;
  options.stem_channels = 16;
  expect_every_candidate_runs(spos_shufflenet(options, kDigits), {1, 8, 8}, 10);
}

}  // namespace
}  // namespace retia
