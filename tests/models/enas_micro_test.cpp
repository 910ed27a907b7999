#include "retia/models/enas_micro.h"

#include <cmath>

#include "retia/engine/cost/profile.h"
#include "retia/engine/ir/infer.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/models/tasks.h"

namespace retia {
namespace {

const EnasMicroOptions kSmallEnasMicro{.channels = 4, .layers = 3, .nodes = 2};

TEST(EnasMicro, ChoosesTwoInputsAndTwoOperationsForEachNodeOfEachKind) {
  const std::vector<Mutable> choices = ir::mutables(enas_micro({}, kCifar));
  ASSERT_EQ(choices.size(), 2u * 5 * 4);
  std::map<std::string, Mutable> by_label;
  for (const Mutable& choice : choices) {
    by_label[choice.label] = choice;
  }
  double architectures = 1;
  for (const std::string kind : {"normal", "reduce"}) {
    for (int64_t j = 2; j < 7; ++j) {
      for (const std::string k : {"0", "1"}) {
        const std::string node = kind + "/" + std::to_string(j);
        const Mutable& input = by_label.at(node + "/input" + k);
        EXPECT_EQ(input.kind, MutableKind::InputChoice);
        EXPECT_EQ(input.n_chosen, 1);
        EXPECT_EQ(input.n_candidates(), j);
        EXPECT_EQ(input.names.back(), std::to_string(j - 1));
        const Mutable& operation = by_label.at(node + "/op" + k);
        EXPECT_EQ(operation.names,
                  (std::vector<std::string>{"sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3",
                                            "max_pool_3x3", "identity"}));
        architectures *= static_cast<double>(input.n_candidates() * operation.n_candidates());
      }
    }
  }
  EXPECT_DOUBLE_EQ(architectures, std::pow(3125.0 * 720, 4));
}

TEST(EnasMicro, DoublesChannelsAndHalvesImagesInReductionCells) {
  const ir::Graph space = enas_micro({}, kCifar);
  const std::map<ir::NodeId, Shape> shapes = ir::infer(space);
  std::map<std::string, std::string> made;
  for (const ir::Node& node : space.nodes()) {
    made[node.name] = ir::to_string(shapes.at(node.id));
  }
  EXPECT_EQ(made.at("cell1/concat"), "[100, 32, 32]");
  EXPECT_EQ(made.at("cell2/concat"), "[200, 16, 16]");
  EXPECT_EQ(made.at("cell4/concat"), "[200, 16, 16]");
  EXPECT_EQ(made.at("cell5/concat"), "[400, 8, 8]");
  EXPECT_EQ(made.at("cell7/concat"), "[400, 8, 8]");
}

TEST(EnasMicro, CostsWhatIsCountedByHand) {
  // One cell, which reduces: stem 1 -> 12 by 3 x 3 on 8 x 8; each input 12 -> 4 + 4 on 4 x 4; one
  // node of 8 channels: a separable 5 x 5 convolution of state 1 and state 0 itself.
  const ir::Graph space = enas_micro({.channels = 4, .layers = 1, .nodes = 1}, kDigits);
  const ir::Graph model = ir::freeze(space, {{"reduce/2/input0", {{1}}},
                                             {"reduce/2/op0", {{1}}},
                                             {"reduce/2/input1", {{0}}},
                                             {"reduce/2/op1", {{4}}}});
  const ir::Cost cost = ir::total_cost(model);
  const int64_t reduce = 12 * 8, separable = 2 * (8 * 25 + 8 * 8);
  EXPECT_EQ(cost.multiply_adds.value(), 64 * 108 + 16 * (2 * reduce + separable) + 80);
  EXPECT_EQ(cost.parameters.value(), 108 + 24 + 2 * (reduce + 16) + separable + 2 * 16 + 80 + 10);
}

TEST(EnasMicro, ReadsBackEqualFromJson) {
  expect_reads_back_equal(enas_micro(kSmallEnasMicro, kDigits));
}

TEST(EnasMicro, RunsEveryCandidateAlsoOnOddSizes) {
  expect_every_candidate_runs(enas_micro(kSmallEnasMicro, kDigits), {1, 8, 8}, 10);
  expect_every_candidate_runs(enas_micro(kSmallEnasMicro, {{2, 7, 5}, 3}), {2, 7, 5}, 3);
}

TEST(EnasMicro, FreezesToWhatTheSupernetComputesOnThatPath) {
  expect_frozen_equals_path(enas_micro(kSmallEnasMicro, kDigits), {1, 8, 8});
}

TEST(EnasMicro, TrainsNoNormalisationWhereItIsNotAffine) {
  const ir::Graph space =
      enas_micro({.channels = 4, .layers = 3, .nodes = 2, .affine = false}, kDigits);
  const ir::Graph model = ir::freeze(space, uniform_architecture(ir::mutables(space), 0));
  for (const ir::NodeCost& node : ir::profile(model)) {
    if (node.type == "batch_norm" && node.name.rfind("cell", 0) == 0) {
      EXPECT_EQ(node.cost.parameters.value(), 0) << node.name;
    }
  }
}

TEST(EnasMicro, RefusesASingleChannel) {
  EXPECT_THAT(error_of([] { enas_micro({.channels = 1}, kDigits); }),
              testing::HasSubstr("channels must be at least 2"));
}

}  // namespace
}  // namespace retia
