#include "retia/engine/ir/infer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string shape_of(const Graph& graph, const std::map<NodeId, Shape>& shapes,
                     const std::string& name) {
  for (const Node& node : graph.nodes()) {
    if (node.name == name) {
      return to_string(shapes.at(node.id));
    }
  }
  return "(no node)";
}

TEST(Infer, FindsTheShapeOfEveryNode) {
  const Graph space = every_choice_space();
  const std::map<NodeId, Shape> shapes = infer(space);
  EXPECT_EQ(shapes.size(), space.nodes().size());
  EXPECT_EQ(shape_of(space, shapes, "image"), "[3, 7, 5]");
  EXPECT_EQ(shape_of(space, shapes, "second"), "[4, 7, 5]");
  EXPECT_EQ(shape_of(space, shapes, "wide"), "[8, 7, 5]");
  EXPECT_EQ(shape_of(space, shapes, "joined"), "[12, 7, 5]");
  EXPECT_EQ(shape_of(space, shapes, "pooled"), "[12]");
  EXPECT_EQ(shape_of(space, shapes, "head"), "[3]");
}

TEST(Infer, FollowsOtherShapesOfTheInputs) {
  Builder b("net");
  b.output("y", b.add("conv", ops::conv2d({.out = 2, .stride = 2}), {b.input("x", {3, 8, 8})}));
  const Graph graph = b.finish();
  EXPECT_EQ(shape_of(graph, infer(graph, {{5, 9, 12}}), "conv"), "[2, 5, 6]");
  EXPECT_THAT(error_of([&] { infer(graph, std::vector<Shape>{}); }),
              HasSubstr("'net' reads 1 inputs, got 0"));
}

TEST(Infer, KeepsSizesThatAValueChoiceDecidesSymbolic) {
  Builder b("net");
  Wire x = b.input("x", {3, 8, 8});
  x = b.add("conv", ops::conv2d({.out = ValueChoice<int64_t>("w", {4, 8})}), {x});
  x = b.add("both", ops::concat(), {x, x});
  x = b.add("pooled", ops::global_mean(), {x});
  b.output("y", x);
  const Graph graph = b.finish();
  const Dim channels = infer(graph).at(x.node).front();
  EXPECT_EQ(channels.min(), 8);
  EXPECT_EQ(channels.max(), 16);
  EXPECT_EQ(channels.at({{"w", {{0}}}}).value(), 8);
}

TEST(Infer, NamesTheCandidateThatDoesNotSuit) {
  Builder b("net");
  const Wire x = b.input("x", {3, 8, 8});
  EXPECT_THAT(error_of([&] {
                b.layer_choice("op", {{"a", ops::relu()}, {"b", ops::linear({.out = 3})}}, {x});
              }),
              AllOf(HasSubstr("node 'op'"), HasSubstr("candidate 'b'"), HasSubstr("linear"),
                    HasSubstr("[3, 8, 8]")));
}

TEST(Infer, RefusesACellWithoutOneOutput) {
  Graph cell("cell");
  const Wire x = cell.add("x", Input{{3}}, {});
  EXPECT_THAT(error_of([&] { infer(Body(Cell(cell)), {{3}}); }),
              HasSubstr("'cell' needs one output, got 0"));
  cell.add_output("y", x);
  EXPECT_EQ(to_string(infer(Body(Cell(cell)), {{5}})), "[5]");
  EXPECT_THAT(error_of([&] {
                infer(Body(Cell(cell)), {{5}, {6}});
              }),
              AllOf(HasSubstr("reads 1 inputs, got 2"), HasSubstr("[5], [6]")));
}

TEST(Infer, RefusesToConcatenateWhatHasNoDimension) {
  Graph graph("net");
  const Wire x = graph.add("x", Input{Shape{}}, {});
  const Node choice{
      7,
      "join",
      InputChoice{.label = "l", .names = {"a", "b"}, .n_chosen = 2, .reduction = Reduction::Concat},
      {x, x}};
  EXPECT_THAT(error_of([&] { infer(choice, {Shape{}, Shape{}}); }), HasSubstr("node 'join'"));
  const Node concat{7, "join", ops::concat(), {x, x}};
  EXPECT_THAT(error_of([&] { infer(concat, {Shape{3}, Shape{}}); }), HasSubstr("node 'join'"));
}

}  // namespace
}  // namespace retia::ir
