#include "retia/engine/executor/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/darts_cnn.h"
#include "retia/models/ops/conv_bn.h"
#include "retia/models/ops/dil_conv.h"
#include "retia/models/ops/sep_conv.h"
#include "retia/models/spos_chain.h"

namespace retia {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

TEST(Plan, CountsMultiplyAddsAndBytes) {
  Builder net("layer");
  const Wire image = net.input("image", {8, 32, 32});
  net.output("out",
             net.add("pre", ops::conv_bn({.kernel = 1, .relu = ReluPlace::Before}), {image}));
  // 64 products a pixel; x, and thrice what is normalised, of 32 KiB each; unfused, each of three
  // operations reads and writes that much.
  EXPECT_EQ(plan_of(net.finish()),
            " M mult.  MB moved  unfused  operation\n"
            "    0.066    0.131    0.197  pre/bn: conv_norm of relu conv2d batch_norm\n"
            "total: 0.066 M multiply-adds, 0.131 MB moved; layer by layer 0.197 MB\n");
}

TEST(Plan, TellsWhyCandidatesRunAsTheyAre) {
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

TEST(Plan, FusesAllEdgesOfDartsAndTheCandidatesOfSelections) {
  const std::string darts =
      plan_of(darts_cnn({.channels = 4, .layers = 2, .nodes = 1}, {{3, 8, 8}, 3}));
  EXPECT_THAT(darts, HasSubstr("mixed_op of stride 2 of max_pool_3x3 avg_pool_3x3 skip_connect "
                               "sep_conv_3x3 sep_conv_5x5 dil_conv_3x3 dil_conv_5x5\n"));
  EXPECT_THAT(darts, HasSubstr("cell0/2: sum of inputs, by its edges\n"));
  const std::string spos = plan_of(spos_chain({.channels = 8, .layers = 1}, {{3, 8, 8}, 3}));
  EXPECT_THAT(spos, HasSubstr("block0: one of\n"));
  EXPECT_THAT(spos,
              HasSubstr("xception/main/pointwise3_relu: conv_norm of conv2d batch_norm relu\n"));
}

}  // namespace
}  // namespace retia
