#include "retia/engine/cost/profile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/executor/network.h"
#include "retia/engine/space/freeze.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::HasSubstr;

/// LeNet-5 as it is commonly written today: 28 x 28 images, padded first convolution.
Graph lenet() {
  Builder b("lenet");
  Wire x = b.input("image", {1, 28, 28});
  x = b.add("conv1", ops::conv2d({.out = 6, .kernel = 5, .bias = true}), {x});
  x = b.add("relu1", ops::relu(), {x});
  x = b.add("pool1", ops::max_pool2d({.kernel = 2, .stride = 2, .padding = 0}), {x});
  x = b.add("conv2", ops::conv2d({.out = 16, .kernel = 5, .padding = 0, .bias = true}), {x});
  x = b.add("relu2", ops::relu(), {x});
  x = b.add("pool2", ops::max_pool2d({.kernel = 2, .stride = 2, .padding = 0}), {x});
  x = b.add("flat", ops::flatten(), {x});
  x = b.add("fc1", ops::linear({.out = 120}), {x});
  x = b.add("fc2", ops::linear({.out = 84}), {x});
  b.output("logits", b.add("fc3", ops::linear({.out = 10}), {x}));
  return b.finish();
}

TEST(Profile, CountsLeNetAsTheTextbookDoes) {
  // 28·28·6·25 + 10·10·16·6·25 + 400·120 + 120·84 + 84·10
  const Cost cost = total_cost(lenet());
  EXPECT_EQ(cost.multiply_adds.value(), 117600 + 240000 + 48000 + 10080 + 840);
  EXPECT_EQ(cost.parameters.value(), 61706);
}

TEST(Profile, ListsPrimitivesInOrderWithTheirShapes) {
  const std::vector<NodeCost> costs = profile(lenet());
  ASSERT_EQ(costs.size(), 10);
  EXPECT_EQ(costs[3].name, "conv2");
  EXPECT_EQ(costs[3].type, "conv2d");
  EXPECT_EQ(to_string(costs[3].output), "[16, 10, 10]");
  EXPECT_EQ(costs[3].cost.multiply_adds.value(), 240000);
  EXPECT_EQ(costs[3].cost.parameters.value(), 2416);
  EXPECT_EQ(costs[2].cost.multiply_adds.value(), 0);
}

TEST(Profile, CountsTheParametersThatTheNetworkHas) {
  const Graph space = every_choice_space();
  Random random(7);
  for (int i = 0; i < 10; ++i) {
    const Graph model = freeze(space, random_architecture_of(mutables(space), random));
    int64_t n = 0;
    for (const at::Tensor& parameter : Network(model, 0)->parameters()) {
      n += parameter.numel();
    }
    EXPECT_EQ(total_cost(model).parameters.value(), n);
  }
}

TEST(Profile, NamesTheChoiceThatIsNotDecided) {
  EXPECT_THAT(error_of([] { profile(every_choice_space()); }),
              HasSubstr("node 'first' is not decided"));
}

TEST(Profile, KeepsACostThatAValueChoiceDecidesSymbolic) {
  Builder b("net");
  b.output("y", b.add("fc", ops::linear({.out = ValueChoice<int64_t>("w", {4, 8})}),
                      {b.input("x", {3})}));
  const Cost cost = total_cost(b.finish());
  EXPECT_EQ(cost.multiply_adds.at({{"w", {{1}}}}).value(), 24);
  EXPECT_EQ(cost.parameters.max(), 32);
}

}  // namespace
}  // namespace retia::ir
