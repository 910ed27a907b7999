#include "retia/engine/cost/window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/cost/latency_table.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/engine/mutated_spaces.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// A choice on [2, 4, 4]: the convolution has 2 * 2 * 9 = 36 weights and 16 * 36 = 576
/// multiply-adds.
ir::Graph space() {
  Builder b("net");
  const Wire x = b.input("x", {2, 4, 4});
  b.output("y", b.layer_choice("op", {{"skip", ops::identity()}, {"conv", ops::conv2d({})}}, {x}));
  return b.finish();
}

const Architecture kSkip = {{"op", {{0}}}}, kConv = {{"op", {{1}}}};

TEST(Window, AdmitsWhatCostsAsMuchAsItAllows) {
  EXPECT_EQ(ir::within(space(), {}), nullptr);
  const auto admits = [](const ir::Window& window, const Architecture& architecture) {
    return ir::within(space(), window)(architecture);
  };
  EXPECT_TRUE(admits({.max_multiply_adds = 576}, kConv));
  EXPECT_FALSE(admits({.max_multiply_adds = 575}, kConv));
  EXPECT_TRUE(admits({.max_multiply_adds = 575}, kSkip));
  EXPECT_TRUE(admits({.min_multiply_adds = 576}, kConv));
  EXPECT_FALSE(admits({.min_multiply_adds = 1}, kSkip));
  EXPECT_TRUE(admits({.min_parameters = 36, .max_parameters = 36}, kConv));
  EXPECT_FALSE(admits({.max_parameters = 35}, kConv));
}

TEST(Window, CountsTheModelsThatGraphMutatorsMake) {
  const ir::Space blocks = operations_space();
  // Two linear layers of four features; one of them and an activation; two activations.
  const Architecture both = {{"op/0", {{0}}}, {"op/1", {{0}}}};
  const Architecture one = {{"op/0", {{0}}}, {"op/1", {{1}}}};
  const Architecture none = {{"op/0", {{1}}}, {"op/1", {{2}}}};
  const ir::Filter admits = ir::within(blocks, {.max_multiply_adds = 16, .min_parameters = 20});
  EXPECT_FALSE(admits(both));
  EXPECT_TRUE(admits(one));
  EXPECT_FALSE(admits(none));
}

TEST(Window, BoundsLatencyByATable) {
  const TemporaryFolder folder;
  const std::string file = folder / "latency.json";
  LatencyTable table({});
  const std::vector<Shape> input = {{2, 4, 4}};
  table.set(ops::identity(), input, {.milliseconds = 0.25});
  table.write(file);
  EXPECT_THAT(error_of([&] { ir::within(space(), {.max_latency = 1, .table = file}); }),
              HasSubstr("has no latency of conv2d"));
  table.set(ops::conv2d({}), input, {.milliseconds = 0.75});
  table.write(file);
  const auto admits = [&](double low, double high, const Architecture& architecture) {
    return ir::within(space(),
                      {.min_latency = low, .max_latency = high, .table = file})(architecture);
  };
  EXPECT_TRUE(admits(0, 0.5, kSkip));
  EXPECT_FALSE(admits(0, 0.5, kConv));
  EXPECT_TRUE(admits(0.5, 0, kConv));
  EXPECT_FALSE(admits(0.5, 0, kSkip));
  EXPECT_THAT(error_of([] { ir::within(space(), {.max_latency = 1}); }),
              HasSubstr("latency comes from a table"));
}

TEST(Window, FallsIntoPartsOfEqualRanges) {
  const ir::Window window = {
      .min_multiply_adds = 290, .max_multiply_adds = 360, .max_parameters = 9};
  const std::vector<ir::Window> parts = ir::parts(window, 7);
  ASSERT_EQ(parts.size(), 7);
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(parts[i].min_multiply_adds, 290 + 10 * static_cast<int64_t>(i));
    EXPECT_EQ(parts[i].max_multiply_adds, 300 + 10 * static_cast<int64_t>(i));
    EXPECT_EQ(parts[i].max_parameters, 9);
  }
  EXPECT_EQ(ir::parts({}, 1).size(), 1);
  EXPECT_THAT(error_of([] { ir::parts({.min_multiply_adds = 5}, 2); }),
              HasSubstr("2 parts need bounds of multiply-adds that far apart, got 5 to 0"));
}

TEST(Window, RefusesBoundsThatLeaveNoRoom) {
  EXPECT_THAT(error_of([] { ir::within(space(), {.min_parameters = 5, .max_parameters = 4}); }),
              HasSubstr("min_parameters 5 and max_parameters 4 leave no room"));
}

}  // namespace
}  // namespace retia
