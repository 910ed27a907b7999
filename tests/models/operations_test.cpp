#include "retia/models/operations.h"

#include "retia/engine/cost/profile.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/ir/infer.h"
#include "retia/models/ops/conv_bn.h"
#include "retia/models/ops/dil_conv.h"
#include "retia/models/ops/enas_layer.h"
#include "retia/models/ops/factorized_reduce.h"
#include "retia/models/ops/mb_conv.h"
#include "retia/models/ops/pool_bn.h"
#include "retia/models/ops/sep_conv.h"
#include "retia/models/ops/shuffle_block.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/models/network_checks.h"

namespace retia {
namespace {

ir::Graph alone(const ir::Operation& operation, const Shape& input) {
  Builder b("alone");
  b.output("y", b.add("operation", operation, {b.input("x", input)}));
  return b.finish();
}

std::string made_of(const ir::Operation& operation, const Shape& input) {
  const ir::Graph graph = alone(operation, input);
  return ir::to_string(ir::infer(graph).at(graph.outputs().front().wire.node));
}

/// Multiply-adds and parameters.
std::pair<int64_t, int64_t> costs(const ir::Operation& operation, const Shape& input) {
  const ir::Cost cost = ir::total_cost(alone(operation, input));
  return {cost.multiply_adds.value(), cost.parameters.value()};
}

std::vector<ir::Operation> every_operation() {
  return {ops::conv_bn({.out = 6, .kernel = 5, .stride = 2, .relu = ReluPlace::Before}),
          ops::conv_bn({.out = 6, .relu = ReluPlace::After, .affine = false}),
          ops::dil_conv({.kernel = 5, .stride = 2}),
          ops::enas_layer({.operation = EnasOperation::Conv, .kernel = 5}),
          ops::enas_layer({.operation = EnasOperation::SepConv}),
          ops::enas_layer({.operation = EnasOperation::Average}),
          ops::enas_layer({.operation = EnasOperation::Max}),
          ops::factorized_reduce({.out = 6}),
          ops::mb_conv({.kernel = 5}),
          ops::mb_conv({.out = 6, .kernel = 7, .stride = 2, .expansion = 3}),
          ops::mb_conv({.out = 6, .expansion = 1}),
          ops::pool_bn({.pooling = Pooling::Average, .stride = 2}),
          ops::pool_bn({.pooling = Pooling::Max, .affine = false}),
          ops::sep_conv({.kernel = 5, .stride = 2, .affine = false}),
          ops::shuffle_block({.kernel = 7}),
          ops::shuffle_block({.out = 8, .stride = 2, .branch = ShuffleBranch::Xception}),
          ops::shuffle_block({.out = 8, .stride = 2, .side = 3})};
}

TEST(ModelOperations, ReadBackEqualFromJson) {
  for (const ir::Operation& operation : every_operation()) {
    expect_reads_back_equal(alone(operation, {4, 8, 8}));
  }
}

TEST(ModelOperations, RunToTheShapeThatIsInferredAlsoOnOddSizes) {
  for (const ir::Operation& operation : every_operation()) {
    for (const auto& [height, width] :
         std::vector<std::pair<int64_t, int64_t>>{{8, 8}, {7, 5}, {6, 9}}) {
      const Shape input = {4, height, width};
      Network network(alone(operation, input), 1);
      network->to(at::kDouble);
      const at::Tensor result = network->forward(random_batch(2, {4, height, width}, 1));
      Shape sizes(result.sizes().begin() + 1, result.sizes().end());
      EXPECT_EQ(ir::to_string(sizes), made_of(operation, input)) << operation.type();
    }
  }
}

TEST(ModelOperations, HalveSizesRoundedUpByAStrideOfTwo) {
  EXPECT_EQ(made_of(ops::sep_conv({.kernel = 5, .stride = 2}), {4, 7, 6}), "[4, 4, 3]");
  EXPECT_EQ(made_of(ops::dil_conv({.kernel = 5, .stride = 2}), {4, 7, 6}), "[4, 4, 3]");
  EXPECT_EQ(made_of(ops::pool_bn({.stride = 2}), {4, 7, 6}), "[4, 4, 3]");
  EXPECT_EQ(made_of(ops::factorized_reduce({.out = 5}), {4, 7, 6}), "[5, 4, 3]");
  EXPECT_EQ(made_of(ops::shuffle_block({.out = 8, .stride = 2}), {4, 7, 6}), "[8, 4, 3]");
}

TEST(ModelOperations, CostWhatIsCountedByHand) {
  using Costs = std::pair<int64_t, int64_t>;
  const Shape input = {16, 32, 32};
  // Twice: 9 weights for each of 16 channels, then 16 x 16; the first pair strided to 16 x 16
  // pixels.
  EXPECT_EQ(costs(ops::sep_conv({.stride = 2, .affine = false}), input),
            Costs(2 * 256 * (144 + 256), 2 * (144 + 256)));
  EXPECT_EQ(costs(ops::dil_conv({.kernel = 5}), input), Costs(1024 * (400 + 256), 400 + 256 + 32));
  // Two pointwise convolutions 16 -> 12 on a quarter of the pixels.
  EXPECT_EQ(costs(ops::factorized_reduce({.out = 24}), input),
            Costs(2 * 256 * 16 * 12, 2 * 16 * 12 + 48));
  EXPECT_EQ(costs(ops::pool_bn({}), input), Costs(0, 32));
  // A pointwise convolution 16 -> 16 and two normalisations; then 16 -> 16 by 3 x 3, or by 5 x 5
  // for each channel and pointwise.
  EXPECT_EQ(costs(ops::enas_layer({.kernel = 3}), input),
            Costs(1024 * (256 + 2304), 256 + 2304 + 64));
  EXPECT_EQ(costs(ops::enas_layer({.operation = EnasOperation::SepConv, .kernel = 5}), input),
            Costs(1024 * (256 + 400 + 256), 256 + 400 + 256 + 64));
}

TEST(MbConv, CostsWhatIsCountedByHand) {
  using Costs = std::pair<int64_t, int64_t>;
  const Shape input = {16, 32, 32};
  // 16 -> 96 on 1024 pixels, then 5 x 5 for each of the 96 and 96 -> 24 on a quarter of them.
  EXPECT_EQ(costs(ops::mb_conv({.out = 24, .kernel = 5, .stride = 2}), input),
            Costs(1024 * 16 * 96 + 256 * 96 * (25 + 24), 96 * (16 + 25 + 24) + 2 * (96 + 96 + 24)));
  EXPECT_EQ(costs(ops::mb_conv({.out = 8, .expansion = 1}), input),
            Costs(1024 * 16 * (9 + 8), 16 * (9 + 8) + 2 * (16 + 8)));
}

TEST(MbConv, AddsItsInputWhereTheShapeStays) {
  const auto adds = [](const ir::Operation& operation) {
    const std::vector<ir::NodeCost> nodes = ir::profile(alone(operation, {4, 8, 8}));
    return nodes.back().type == "add";
  };
  EXPECT_TRUE(adds(ops::mb_conv({.kernel = 5})));
  EXPECT_TRUE(adds(ops::mb_conv({.out = 4, .expansion = 1})));
  EXPECT_FALSE(adds(ops::mb_conv({.out = 6})));
  EXPECT_FALSE(adds(ops::mb_conv({.stride = 2})));
}

TEST(MbConv, RefusesAnExpansionBelowOne) {
  EXPECT_THAT(error_of([] {
                alone(ops::mb_conv({.expansion = 0}), {4, 8, 8});
              }),
              testing::HasSubstr("expansion must be at least 1, got 0"));
}

TEST(ShuffleBlock, RefusesASideBranchOfAllChannels) {
  EXPECT_THAT(error_of([] {
                alone(ops::shuffle_block({.stride = 2, .side = 4}), {4, 8, 8});
              }),
              testing::HasSubstr("side must be 1 to 4 - 1 channels, got 4"));
}

TEST(ModelOperations, NameTheNodeAndThePartThatRefusesAShape) {
  const std::string error = error_of([] { alone(ops::shuffle_block(), {5, 8, 8}); });
  EXPECT_THAT(error, testing::HasSubstr("node 'operation'"));
  EXPECT_THAT(error, testing::HasSubstr("shuffle_block"));
  EXPECT_THAT(error, testing::HasSubstr("[5, 8, 8]"));
  EXPECT_THAT(error_of([] { alone(ops::sep_conv(), {64}); }), testing::HasSubstr("[64]"));
}

TEST(ShuffleBlock, RefusesOtherStridesThanOneAndTwo) {
  EXPECT_THAT(error_of([] {
                alone(ops::shuffle_block({.stride = 3}), {4, 8, 8});
              }),
              testing::HasSubstr("stride must be 1 or 2, got 3"));
}

}  // namespace
}  // namespace retia
