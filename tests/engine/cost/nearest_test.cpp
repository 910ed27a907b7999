#include "retia/engine/cost/nearest.h"

#include <gtest/gtest.h>

#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"

namespace retia {
namespace {

/// A linear layer of four inputs and 1 to 6 outputs: n (4 + 1) parameters, 4 n multiply-adds.
ir::Graph widths() {
  Builder b("widths");
  b.output("y",
           b.add("layer", ops::linear({.out = ValueChoice<int64_t>("width", {1, 2, 3, 4, 5, 6})}),
                 {b.input("x", {4})}));
  return b.finish();
}

std::vector<Architecture> all() {
  std::vector<Architecture> architectures;
  for (int64_t i = 0; i < 6; ++i) {
    architectures.push_back({{"width", {{i}}}});
  }
  return architectures;
}

TEST(NearestCosts, AreThoseOfTheModelThatMissesTheWindowByLeast) {
  EXPECT_EQ(ir::nearest_costs(widths(), {.max_parameters = 4}, all()), "parameters 5 (at most 4)");
  EXPECT_EQ(ir::nearest_costs(widths(), {.min_parameters = 31}, all()),
            "parameters 30 (at least 31)");
  EXPECT_EQ(ir::nearest_costs(widths(), {.min_parameters = 11, .max_parameters = 14}, all()),
            "parameters 15 (at least 11, at most 14)");
  // By width: 0.75, 0.5, 0.25 + 0.5, 0 + 1, … outside.
  EXPECT_EQ(ir::nearest_costs(widths(), {.max_multiply_adds = 8, .min_parameters = 20}, all()),
            "multiply_adds 8 (at most 8), parameters 10 (at least 20)");
}

TEST(NearestCosts, NeedBoundsAndCandidates) {
  EXPECT_EQ(ir::nearest_costs(widths(), {}, all()), "");
  EXPECT_EQ(ir::nearest_costs(widths(), {.max_parameters = 4}, {}), "");
}

}  // namespace
}  // namespace retia
