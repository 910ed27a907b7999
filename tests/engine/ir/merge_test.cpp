#include "retia/engine/ir/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "retia/engine/ir/builder.h"
#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/lower.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Convolutions of these kernels after each other, each normalised, then a mean and a head.
Graph chain_of(const std::vector<int64_t>& kernels) {
  Builder b("chain");
  Wire x = b.input("image", {1, 8, 8});
  for (size_t i = 0; i < kernels.size(); ++i) {
    const std::string n = std::to_string(i);
    x = b.add("conv" + n, ops::conv2d({.out = 4, .kernel = kernels[i]}), {x});
    x = b.add("bn" + n, ops::batch_norm(), {x});
  }
  b.output("y", b.add("head", ops::linear({.out = 3}), {b.add("mean", ops::global_mean(), {x})}));
  return b.finish();
}

std::vector<std::string> written(const Graph& graph) {
  std::vector<std::string> lines;
  for (const Node& node : graph.nodes()) {
    const auto* operation = std::get_if<Operation>(&node.body);
    std::string line = (operation != nullptr ? operation->type() : "input") + "(";
    for (const Wire wire : node.inputs) {
      line += (line.back() == '(' ? "" : " ") + graph.node(wire).name;
    }
    lines.push_back(line + ") " + to_string(infer(graph).at(node.id)));
  }
  return lines;
}

MergedGraph merged(const std::vector<Graph>& models, int64_t channels = kAnyNumberOfChannels) {
  return merge(models, channels);
}

TEST(Merge, OfEqualModelsIsOneAsWide) {
  const MergedGraph found = merged({chain_of({3, 5}), chain_of({3, 5}), chain_of({3, 5})});
  EXPECT_THAT(written(found.graph),
              ElementsAre("input() [1, 8, 8]", "conv2d(image) [12, 8, 8]",
                          "batch_norm(model0/conv0) [12, 8, 8]", "conv2d(model0/bn0) [12, 8, 8]",
                          "batch_norm(model0/conv1) [12, 8, 8]", "global_mean(model0/bn1) [12]",
                          "grouped_linear(model0/mean) [9]"));
  EXPECT_EQ(found.members.at("model0/conv1"),
            (std::vector<ModelNode>{{0, "conv1"}, {1, "conv1"}, {2, "conv1"}}));
}

TEST(Merge, CutsAndJoinsWhereNeighboursAreGroupedUnlike) {
  const MergedGraph found = merged({chain_of({3, 1}), chain_of({3, 5}), chain_of({3, 1})});
  EXPECT_THAT(written(found.graph),
              ElementsAre("input() [1, 8, 8]", "conv2d(image) [12, 8, 8]",
                          "batch_norm(model0/conv0) [12, 8, 8]", "split(model0/bn0) [4, 8, 8]",
                          "split(model0/bn0) [4, 8, 8]", "concat(cut1 cut2) [8, 8, 8]",
                          "conv2d(join1) [8, 8, 8]", "split(model0/bn0) [4, 8, 8]",
                          "conv2d(cut3) [4, 8, 8]", "concat(model0/conv1 model1/conv1) [12, 8, 8]",
                          "batch_norm(join2) [12, 8, 8]", "global_mean(model0/bn1) [12]",
                          "grouped_linear(model0/mean) [9]", "split(model0/head) [3]",
                          "split(model0/head) [3]", "split(model0/head) [3]",
                          "concat(cut4 cut5 cut6) [9]"));
  EXPECT_EQ(found.members.at("model0/head"),
            (std::vector<ModelNode>{{0, "head"}, {2, "head"}, {1, "head"}}));
}

TEST(Merge, LetsShorterModelsWaitForTheirHeads) {
  const MergedGraph found = merged({chain_of({3}), chain_of({3, 5, 5})});
  EXPECT_EQ(found.members.at("model0/conv0").size(), 2u);
  EXPECT_EQ(found.members.at("model1/conv1").size(), 1u);
  EXPECT_EQ(found.members.at("model0/mean").size(), 2u);
  EXPECT_EQ(found.members.at("model0/head").size(), 2u);
}

TEST(Merge, ComputesWhatHasNoWeightsAndReadsTheSameOnce) {
  const auto model = [](bool twice) {
    Builder b("model");
    const Wire image = b.input("image", {2, 8, 8});
    Wire x = b.add("pool", ops::avg_pool2d(), {b.add("relu", ops::relu(), {image})});
    if (twice) {
      x = b.add("sum", ops::add(),
                {x, b.add("again", ops::relu(), {b.add("id", ops::identity(), {image})})});
    }
    b.output("y", b.add("head", ops::linear({.out = 2}), {b.add("flat", ops::flatten(), {x})}));
    return b.finish();
  };
  EXPECT_THAT(
      written(merged({model(false), model(false)}).graph),
      ElementsAre("input() [2, 8, 8]", "relu(image) [2, 8, 8]", "avg_pool2d(model0/relu) [2, 8, 8]",
                  "flatten(model0/pool) [128]", "linear(model0/flat) [4]"));
  const Graph both = merged({model(false), model(true)}).graph;
  EXPECT_EQ(both.of_type("relu").size(), 1u);
  EXPECT_EQ(both.of_type("avg_pool2d").size(), 1u);
}

TEST(Merge, MovesChannelsThroughSplitsAndConcatsWithoutComputing) {
  Builder b("model");
  const Wire x = b.add("conv", ops::conv2d({.out = 4}), {b.input("image", {1, 4, 4})});
  const Wire low = b.add("low", ops::split({.index = 0}), {x});
  const Wire high = b.add("high", ops::split({.index = 1}), {x});
  const Wire joined = b.add("joined", ops::concat(), {low, high});
  b.output("y", b.add("mean", ops::global_mean(), {joined}));
  const Graph model = b.finish();
  EXPECT_THAT(
      written(merged({model, model}).graph),
      ElementsAre("input() [1, 4, 4]", "conv2d(image) [8, 4, 4]", "global_mean(model0/conv) [8]"));
}

TEST(Merge, JoinsNoMoreChannelsThanAllowed) {
  const MergedGraph found = merged(std::vector<Graph>(5, chain_of({3, 3})), 8);
  const auto shapes = infer(found.graph);
  for (const NodeId node : found.graph.of_type("conv2d")) {
    EXPECT_LE(shapes.at(node).front().value(), 8);
  }
  EXPECT_EQ(found.graph.of_type("conv2d").size(), 6u);
  EXPECT_EQ(found.graph.of_type("batch_norm").size(), 6u);
  EXPECT_EQ(found.graph.of_type("grouped_linear").size(), 1u);  // not of images
}

TEST(Merge, ComputesEveryNodeWithWeightsOnce) {
  const std::vector<Graph> models = {chain_of({3, 1, 5}), chain_of({1}), chain_of({5, 5}),
                                     chain_of({3, 1, 5})};
  for (const int64_t channels : {int64_t{1}, int64_t{8}, kAnyNumberOfChannels}) {
    const MergedGraph found = merged(models, channels);
    std::set<std::pair<size_t, std::string>> computed;
    size_t n = 0;
    for (const auto& [name, members] : found.members) {
      EXPECT_NO_THROW(found.graph.named(name));
      for (const ModelNode& member : members) {
        computed.emplace(member.model, member.name);
        ++n;
      }
    }
    EXPECT_EQ(computed.size(), n);
    for (size_t m = 0; m < models.size(); ++m) {
      const Graph lowered = lower(models[m]);
      for (const Node& node : lowered.nodes()) {
        EXPECT_TRUE(std::holds_alternative<Input>(node.body) || computed.count({m, node.name}) != 0)
            << node.name;
      }
    }
  }
}

TEST(Merge, RefusesModelsThatDoNotFit) {
  Builder b("other");
  b.output("y", b.add("head", ops::linear({.out = 3}), {b.input("x", {5})}));
  EXPECT_EQ(error_of([&] {
              merged({chain_of({3}), b.finish()});
            }),
            "models that read inputs of shape [1, 8, 8] and [5] cannot be merged");
  EXPECT_THAT(error_of([] { merged({every_choice_space()}); }),
              HasSubstr("is not decided: only frozen graphs can be merged"));
  EXPECT_EQ(error_of([] { merged({}); }), "there are no models to merge");
}

TEST(NValues, CountsWhatAllNodesMake) {
  EXPECT_EQ(n_values(chain_of({3})), 4 * 64 + 4 * 64 + 4 + 3);
}

}  // namespace
}  // namespace retia::ir
