#include "retia/models/mnasnet.h"

#include <set>

#include "retia/engine/cost/profile.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/tests/error_of.h"
#include "retia/tests/models/network_checks.h"
#include "retia/tests/models/tasks.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const MnasnetOptions kSmallMnasnet{.channels = {8, 16},
                                   .layers = {1, 2},
                                   .strides = {1, 2},
                                   .stem_channels = 8,
                                   .stem_stride = 1,
                                   .last_channels = 16};

struct Block {
  const char* operation;
  int64_t kernel, expansion, channels, layers;
  double se_ratio = 0;
};

/// The architecture of these blocks, identities added where the shape stays.
Architecture of_blocks(const ir::Space& space, const std::vector<Block>& blocks) {
  Json choices = Json::object();
  for (size_t i = 0; i < blocks.size(); ++i) {
    const std::string label = "block" + std::to_string(i) + "/";
    const Block& block = blocks[i];
    choices[label + "operation"] = block.operation;
    choices[label + "kernel"] = block.kernel;
    if (block.operation == std::string("mb_conv")) {
      choices[label + "expansion"] = block.expansion;
    }
    choices[label + "se_ratio"] = block.se_ratio;
    choices[label + "skip"] = "identity";
    choices[label + "channels"] = block.channels;
    choices[label + "layers"] = block.layers;
  }
  return choices_from_json(choices, space.mutables());
}

TEST(Mnasnet, HoldsTheNetworkB1AtItsPublishedCosts) {
  const ir::Space space = mnasnet({}, kImageNet);
  const ir::Cost cost = ir::total_cost(space.model(of_blocks(space, {{"sep_conv", 3, 1, 16, 1},
                                                                     {"mb_conv", 3, 3, 24, 3},
                                                                     {"mb_conv", 5, 3, 40, 3},
                                                                     {"mb_conv", 5, 6, 80, 3},
                                                                     {"mb_conv", 3, 6, 96, 2},
                                                                     {"mb_conv", 5, 6, 192, 4},
                                                                     {"mb_conv", 3, 6, 320, 1}})));
  EXPECT_EQ(cost.parameters.value(), 4'383'312);
  EXPECT_EQ(cost.multiply_adds.value(), 314'415'872);
}

TEST(Mnasnet, HoldsTheNetworkA1AtItsPublishedCosts) {
  const ir::Space space = mnasnet(
      {.channels = {16, 24, 40, 80, 112, 160, 320}, .layers = {1, 2, 3, 4, 2, 3, 1}}, kImageNet);
  const ir::Cost cost =
      ir::total_cost(space.model(of_blocks(space, {{"sep_conv", 3, 1, 16, 1},
                                                   {"mb_conv", 3, 6, 24, 2},
                                                   {"mb_conv", 5, 3, 40, 3, 0.25},
                                                   {"mb_conv", 3, 6, 80, 4},
                                                   {"mb_conv", 3, 6, 112, 2, 0.25},
                                                   {"mb_conv", 5, 6, 160, 3, 0.25},
                                                   {"mb_conv", 3, 6, 320, 1}})));
  EXPECT_EQ(cost.parameters.value(), 3'887'038);
  EXPECT_EQ(std::lround(static_cast<double>(cost.multiply_adds.value()) / 1e6), 312);
}

TEST(Mnasnet, DecidesEachBlockForItself) {
  const ir::Space space = mnasnet({}, kImageNet);
  EXPECT_EQ(space.mutables().size(), 7u * 7u);
  const auto names_of = [&](const std::string& label) {
    for (const Mutable& choice : space.mutables()) {
      if (choice.label == label) {
        return choice.names;
      }
    }
    return std::vector<std::string>{};
  };
  EXPECT_THAT(names_of("block2/operation"), ElementsAre("conv", "sep_conv", "mb_conv"));
  EXPECT_THAT(names_of("block2/kernel"), ElementsAre("3", "5"));
  EXPECT_THAT(names_of("block2/channels"), ElementsAre("32", "40", "48"));
  EXPECT_THAT(names_of("block2/layers"), ElementsAre("2", "3", "4"));
  EXPECT_THAT(names_of("block6/layers"), ElementsAre("1", "2"));
}

TEST(Mnasnet, DecidesAnExpansionOnlyWhereSomethingExpands) {
  const ir::Space space = mnasnet(kSmallMnasnet, kDigits);
  Random random(3);
  std::set<size_t> sizes;
  for (int i = 0; i < 50; ++i) {
    const Architecture form = space.canonical(random_architecture(space.mutables(), random));
    const Json choices = choices_to_json(form, space.mutables());
    for (const std::string block : {"block0", "block1"}) {
      EXPECT_EQ(choices.contains(block + "/expansion"),
                choices.at(block + "/operation") == "mb_conv");
    }
    sizes.insert(form.size());
  }
  EXPECT_THAT(sizes, ElementsAre(12, 13, 14));
}

TEST(Mnasnet, EveryModelRunsWithAsManyWeightsAsItIsSaidToHave) {
  const ir::Space space = mnasnet(kSmallMnasnet, kDigits);
  const ir::Graph base = space.graph();
  Random random(11);
  for (int i = 0; i < 25; ++i) {
    const Architecture form = space.canonical(random_architecture(space.mutables(), random));
    const ir::Graph model = space.model(form);
    Network network(model, 1);
    network->to(at::kDouble);
    const at::Tensor logits = network->forward(random_batch(3, kDigits.input, 2));
    EXPECT_EQ(logits.sizes(), at::IntArrayRef({3, 10}));
    EXPECT_TRUE(logits.isfinite().all().item<bool>()) << form.to_string();
    EXPECT_EQ(count_parameters(*network), ir::total_cost(model).parameters.value());
    expect_reads_back_equal(model);
  }
  EXPECT_EQ(space.graph(), base);
}

TEST(Mnasnet, AddsTheInputWhereIdentitySkips) {
  const ir::Space space = mnasnet(kSmallMnasnet, kDigits);
  const Architecture with = of_blocks(space, {{"conv", 3, 1, 8, 2}, {"conv", 3, 1, 16, 3}});
  Architecture without = with;
  without["block0/skip"] = without["block1/skip"] = {{0}};
  const auto n_added = [&](const Architecture& architecture) {
    int64_t n = 0;
    for (const ir::NodeCost& node : ir::profile(space.model(architecture))) {
      n += node.type == "add" ? 1 : 0;
    }
    return n;
  };
  // Both layers of block 0 keep the stem's 8 channels; of block 1 all but the first.
  EXPECT_EQ(n_added(with), 4);
  EXPECT_EQ(n_added(without), 0);
}

TEST(Mnasnet, HasABaseThatReadsBackEqual) { expect_reads_back_equal(mnasnet_base({}, kImageNet)); }

TEST(Mnasnet, SaysWhatIsWrongWithItsOptions) {
  EXPECT_THAT(error_of([] {
                mnasnet({.layers = {1, 2}}, kDigits);
              }),
              HasSubstr("channels, layers and strides need one number per block each, got 7, 2"));
  EXPECT_THAT(error_of([] {
                mnasnet({.kernels = {3, 0}}, kDigits);
              }),
              HasSubstr("kernels.1 must be at least 1, got 0"));
  EXPECT_THAT(error_of([] { mnasnet({.kernels = {}}, kDigits); }),
              HasSubstr("need one candidate each"));
}

}  // namespace
}  // namespace retia
