#include "retia/engine/executor/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/executor/network.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/darts_cnn.h"
#include "retia/models/ops/conv_bn.h"
#include "retia/models/ops/dil_conv.h"
#include "retia/models/ops/sep_conv.h"
#include "retia/models/spos_chain.h"

namespace retia::executor {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// Shows the program that runs a graph.
std::string plan_of(const ir::Graph& graph, Executor executor = Executor::Fused) {
  Network network(graph, 1);
  network->set_executor(executor);
  return explain(network->program());
}

TEST(Explain, CountsMultiplyAddsAndBytes) {
  Builder net("layer");
  const Wire image = net.input("image", {8, 32, 32});
  net.output("out",
             net.add("pre", ops::conv_bn({.kernel = 1, .relu = ReluPlace::Before}), {image}));
  // 64 products a pixel; x, and thrice what is normalised, of 32 KiB each; unfused, each of three
  // operations reads and writes that much.
  EXPECT_EQ(
      plan_of(net.finish()),
      " M mult.  MB moved  unfused  operation\n"
      "    0.066    0.131    0.197  pre/bn: conv_norm of relu conv2d batch_norm\n"
      "                               where x is an image of the dtype of the weights, on a GPU "
      "also of half precision\n"
      "                               else pre/relu: relu; pre/conv: conv2d; pre/bn: batch_norm\n"
      "total: 0.066 M multiply-adds, 0.131 MB moved; layer by layer 0.197 MB\n");
}

TEST(Explain, TellsWhyCandidatesRunAsTheyAre) {
  Builder net("mixed");
  const Wire image = net.input("image", {4, 8, 8});
  const Wire body = net.layer_choice("body",
                                     {{"none", ops::zero()},
                                      {"sep", ops::sep_conv({.kernel = 3, .affine = false})},
                                      {"dil", ops::dil_conv({.kernel = 5, .affine = false})},
                                      {"affine", ops::dil_conv({.kernel = 3})},
                                      {"conv", ops::conv2d({.kernel = 3})}},
                                     {image});
  net.output("out", body);
  const std::string plan = plan_of(net.finish());
  EXPECT_THAT(plan, HasSubstr("body: mixed_op of stride 1 of sep dil\n"));
  EXPECT_THAT(plan,
              HasSubstr("as they are: none (zero: left out) affine (its normalisation is scaled "
                        "and shifted) conv (mixed_op has no such branch)\n"));
}

TEST(Explain, FusesAllEdgesOfDartsAndTheCandidatesOfSelections) {
  const std::string darts =
      plan_of(darts_cnn({.channels = 4, .layers = 2, .nodes = 1}, {{3, 8, 8}, 3}));
  EXPECT_THAT(darts, ContainsRegex("mixed_op of stride 2 of max_pool_3x3 avg_pool_3x3 skip_connect "
                                   "sep_conv_3x3 sep_conv_5x5 dil_conv_3x3 dil_conv_5x5, "
                                   "(first of|added to) cell"));
  EXPECT_THAT(darts, HasSubstr("cell0/2: sum of inputs, by its edges\n"));
  const std::string spos = plan_of(spos_chain({.channels = 8, .layers = 1}, {{3, 8, 8}, 3}));
  EXPECT_THAT(spos, HasSubstr("block0: one of\n"));
  EXPECT_THAT(spos,
              HasSubstr("xception/main/pointwise3_relu: conv_norm of conv2d batch_norm relu\n"));
}

TEST(Explain, ShowsWhatRunsWhereAFusionDoesNot) {
  const std::string darts =
      plan_of(darts_cnn({.channels = 4, .layers = 1, .nodes = 2}, {{3, 8, 8}, 3}));
  EXPECT_THAT(darts, ContainsRegex(": mixed_op of stride 2 for 2 siblings\n"
                                   " +cell0/[^\n]*: mixed_op of stride 2 of [^\n]*\n"));
  EXPECT_THAT(darts, HasSubstr("where each choice is blended by weights"));
  EXPECT_THAT(darts, ContainsRegex("else [^\n]*: mixed_op of stride 2 for 2 siblings; cell0/2: sum "
                                   "so far; cell0/3: sum so far\n"
                                   " +else [^\n]*\n +else [^\n]*: one of; [^\n]*: one of\n"));
  EXPECT_THAT(darts, HasSubstr("where all inputs are chosen, without weights\n"));
}

TEST(Explain, ShowsTheProgramOfTheReferenceLayerByLayer) {
  const ir::Graph darts = darts_cnn({.channels = 4, .layers = 1, .nodes = 1}, {{3, 8, 8}, 3});
  const std::string plan = plan_of(darts, Executor::Reference);
  EXPECT_THAT(plan, Not(HasSubstr("else")));
  EXPECT_THAT(plan, Not(HasSubstr("mixed_op")));
  EXPECT_THAT(plan, HasSubstr("sep_conv_3x3/"));
}

}  // namespace
}  // namespace retia::executor
