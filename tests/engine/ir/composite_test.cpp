#include "retia/engine/ir/composite.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/cost/profile.h"
#include "retia/engine/ir/infer.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/operations/operation_checks.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Composite, HasTheShapeAndTheCostOfItsParts) {
  const ir::Operation operation = block({.out = 4, .kernel = 5});
  EXPECT_EQ(inferred(operation, {{3, 7, 5}}), "[4, 7, 5]");
  const ir::Cost cost =
      ir::total_cost(*operation.kind().expand(operation.parameters(), shapes_of({{3, 7, 5}})));
  EXPECT_EQ(cost.multiply_adds.value(), 4 * 3 * 25 * 35);
  EXPECT_EQ(cost.parameters.value(), 4 * 3 * 25 + 8);
}

TEST(Composite, ExpandsIntoItsParts) {
  const ir::Operation operation = block();
  const auto graph = operation.kind().expand(operation.parameters(), shapes_of({{3, 7, 5}}));
  ASSERT_EQ(graph->nodes().size(), 3);
  EXPECT_EQ(graph->nodes()[1].name, "conv");
  EXPECT_EQ(graph->nodes()[2].name, "bn");
}

TEST(Composite, KeepsValueChoicesSymbolic) {
  const ir::Operation operation = block({.out = ValueChoice<int64_t>("w", {4, 6})});
  EXPECT_EQ(inferred(operation, {{3, 7, 5}}), "[w{4,6}, 7, 5]");
}

TEST(Composite, NamesThePartThatDoesNotSuit) {
  EXPECT_THAT(error_of([] { ir::infer(ir::Body(block()), shapes_of({{3}})); }),
              AllOf(HasSubstr("block"), HasSubstr("node 'conv'"), HasSubstr("[3]")));
  EXPECT_THAT(error_of([] {
                inferred(block(), {{3, 4, 4}, {3, 4, 4}});
              }),
              HasSubstr("expected one input, got 2"));
}

}  // namespace
}  // namespace retia
