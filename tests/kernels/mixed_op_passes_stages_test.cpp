#include "retia/kernels/mixed_op/mixed_op_passes_stages.h"

#include <gmock/gmock.h>

namespace retia::kernels {
namespace {

using testing::ElementsAre;

/// Returns a field of each stage.
template <class Field>
std::vector<int> each(Field PassStage::*field, const std::vector<PassStage>& stages) {
  std::vector<int> found;
  for (const PassStage& stage : stages) {
    found.push_back(static_cast<int>(stage.*field));
  }
  return found;
}

PassStages example() {
  std::vector<int64_t> branches;
  for (const MixedBranch branch :
       {MixedBranch::MaxPool3, MixedBranch::SepConv5, MixedBranch::Identity,
        MixedBranch::FactorizedReduce, MixedBranch::DilConv3, MixedBranch::SepConv3}) {
    branches.push_back(static_cast<int64_t>(branch));
  }
  return PassStages(branches);
}

TEST(MixedOpPassesStages, StandInTheListOfWhatTheyRead) {
  const PassStages stages = example();
  EXPECT_THAT(each(&PassStage::kernel, stages.first), ElementsAre(5, 3, 3));
  EXPECT_THAT(each(&PassStage::dilation, stages.first), ElementsAre(1, 2, 1));
  EXPECT_THAT(each(&PassStage::source, stages.first), ElementsAre(-1, -1, -1));
  EXPECT_THAT(each(&PassStage::kernel, stages.second), ElementsAre(5, 3));
  EXPECT_THAT(each(&PassStage::source, stages.second), ElementsAre(0, 2));
  EXPECT_EQ(stages.pools.size(), 1u);
  EXPECT_EQ(stages.halvings.size(), 1u);
  EXPECT_THAT(stages.identities, ElementsAre(2));
}

TEST(MixedOpPassesStages, KnowTheBranchThatTheyEnd) {
  const PassStages stages = example();
  EXPECT_THAT(each(&PassStage::branch, stages.first), ElementsAre(-1, 4, -1));
  EXPECT_THAT(each(&PassStage::branch, stages.second), ElementsAre(1, 5));
  EXPECT_THAT(each(&PassStage::branch, stages.pools), ElementsAre(0));
  EXPECT_THAT(each(&PassStage::branch, stages.halvings), ElementsAre(3));
}

/// Weights: two a convolution or halving, in the order of the branches; statistics: one a stage.
TEST(MixedOpPassesStages, FindTheirWeightsAndStatisticsInTheOrderOfTheBranches) {
  const PassStages stages = example();
  EXPECT_THAT(each(&PassStage::first_weight, stages.first), ElementsAre(0, 6, 8));
  EXPECT_THAT(each(&PassStage::first_weight, stages.second), ElementsAre(2, 10));
  EXPECT_THAT(each(&PassStage::first_weight, stages.halvings), ElementsAre(4));
  EXPECT_THAT(each(&PassStage::running, stages.first), ElementsAre(1, 4, 5));
  EXPECT_THAT(each(&PassStage::running, stages.second), ElementsAre(2, 6));
  EXPECT_THAT(each(&PassStage::running, stages.pools), ElementsAre(0));
  EXPECT_THAT(each(&PassStage::running, stages.halvings), ElementsAre(3));
}

TEST(MixedOpPassesStages, AreNumberedSoThatOnePassWritesOneRange) {
  const PassStages stages = example();
  EXPECT_EQ(stages.n_kept(), 6);
  EXPECT_EQ(stages.n_norms(), 7);
  EXPECT_THAT(each(&PassStage::place, stages.first), ElementsAre(0, 1, 2));
  EXPECT_THAT(each(&PassStage::place, stages.halvings), ElementsAre(3));
  EXPECT_THAT(each(&PassStage::place, stages.second), ElementsAre(4, 5));
  EXPECT_THAT(each(&PassStage::place, stages.pools), ElementsAre(6));
  std::vector<int> norms;
  for (const PassStage* stage : stages.all()) {
    norms.push_back(stage->norm);
  }
  EXPECT_THAT(norms, ElementsAre(0, 1, 2, 3, 4, 5, 6));
  EXPECT_THAT(each(&PassStage::norm, stages.second), ElementsAre(5, 6));
}

}  // namespace
}  // namespace retia::kernels
