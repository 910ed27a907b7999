#include "retia/engine/ir/verify.h"

#include <gmock/gmock.h>

#include <cstdlib>

#include "retia/engine/ir/lower.h"
#include "retia/engine/space/freeze.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::HasSubstr;

const Node kInput{0, "x", Input{{4, 6, 6}}, {}};

/// The error of verifying a graph of `kInput` and `nodes`.
std::string error_of_nodes(const std::vector<Node>& nodes,
                           const std::vector<Output>& outputs = {}) {
  std::vector<Node> all = {kInput};
  all.insert(all.end(), nodes.begin(), nodes.end());
  return error_of([&] { verify("g", all, outputs); });
}

std::string error_of_body(decltype(Node::body) body, std::vector<Wire> inputs = {{0}}) {
  return error_of_nodes({{1, "y", std::move(body), std::move(inputs)}});
}

TEST(Verify, AcceptsWhatTheRewritesMake) {
  const Graph space = every_choice_space();
  verify(space, Promise::Space);
  verify(lower(space), Promise::Primitives);
  Random random(1);
  for (int i = 0; i < 20; ++i) {
    verify(freeze(space, random_architecture_of(mutables(space), random)), Promise::Model);
  }
}

TEST(Verify, RefusesIdsThatAreNegativeOrTaken) {
  EXPECT_THAT(error_of_nodes({{-1, "y", ops::relu(), {{0}}}}), HasSubstr("its id -1 is negative"));
  EXPECT_THAT(error_of_nodes({{0, "y", ops::relu(), {{0}}}}),
              HasSubstr("graph 'g': node 'y': its id 0 is negative or taken"));
}

TEST(Verify, RefusesNamesThatAreMalformedOrTaken) {
  for (const std::string name : {"", "/y", "y/", "a//b", "a.b"}) {
    EXPECT_THAT(error_of_nodes({{1, name, ops::relu(), {{0}}}}), HasSubstr("is malformed"));
  }
  EXPECT_THAT(error_of_nodes({{1, "x", ops::relu(), {{0}}}}),
              HasSubstr("two nodes have this name"));
}

TEST(Verify, RefusesNodesThatReadNoEarlierNode) {
  EXPECT_THAT(error_of_body(ops::relu(), {{7}}), HasSubstr("it reads 7, no node before it"));
  EXPECT_THAT(error_of_body(ops::relu(), {{1}}), HasSubstr("it reads 1, no node before it"));
  EXPECT_THAT(error_of_nodes({{1, "y", ops::relu(), {{2}}}, {2, "z", ops::relu(), {{0}}}}),
              HasSubstr("it reads 2, no node before it"));
}

TEST(Verify, RefusesOutputsThatAreNotThereOrHaveOneName) {
  EXPECT_THAT(error_of_nodes({}, {{"out", {3}}}), HasSubstr("output 'out' is no node's"));
  EXPECT_THAT(error_of_nodes({}, {{"out", {0}}, {"out", {0}}}),
              HasSubstr("two outputs are named 'out'"));
}

TEST(Verify, RefusesAnInputThatReads) {
  EXPECT_THAT(error_of_body(Input{{4}}), HasSubstr("an input of the graph reads a node"));
}

TEST(Verify, RefusesChoicesThatNoArchitectureCouldDecide) {
  EXPECT_THAT(error_of_body(LayerChoice{"l", {}}), HasSubstr("has no candidates"));
  EXPECT_THAT(error_of_body(LayerChoice{"", {{"a", ops::relu()}}}), HasSubstr("has no label"));
  EXPECT_THAT(error_of_body(LayerChoice{"l", {{"a", ops::relu()}, {"a", ops::tanh()}}}),
              HasSubstr("two candidates have the same name"));
  EXPECT_THAT(error_of_body(LayerChoice{"l", {{"a.b", ops::relu()}}}), HasSubstr("is malformed"));
  EXPECT_THAT(error_of_body(Placeholder{"", {}, {4}}), HasSubstr("has no label"));
  const auto error = [](InputChoice choice) {
    return error_of_body(std::move(choice), {{0}, {0}});
  };
  EXPECT_THAT(error({.names = {"a", "b"}, .n_chosen = 1}), HasSubstr("has no label"));
  EXPECT_THAT(error({.label = "l", .names = {"a"}, .n_chosen = 1}),
              HasSubstr("a choice of 2 inputs has 1 names"));
  EXPECT_THAT(error({.label = "l", .names = {"a", "a"}, .n_chosen = 1}),
              HasSubstr("two candidates have the same name"));
  EXPECT_THAT(error({.label = "l", .names = {"a", "b"}, .n_chosen = 3}),
              HasSubstr("a choice of 2 inputs chooses 3"));
  EXPECT_THAT(error({.label = "l", .names = {"a", "b"}, .reduction = Reduction::None}),
              HasSubstr("chosen inputs are not joined"));
  EXPECT_THAT(error({.label = "l", .names = {"a", "b"}, .kind = MutableKind::ValueChoice}),
              HasSubstr("a value selects more than one input"));
  EXPECT_EQ(error({.label = "l", .names = {"a", "b"}, .n_chosen = 2}), "(no error)");
}

/// A nested graph without an output.
Cell without_output() {
  Graph graph("inner");
  graph.add("input", Input{}, {});
  return Cell(graph);
}

TEST(Verify, RefusesNestedGraphsWithoutAnOutput) {
  const std::string expected = "a nested graph has 0 outputs, not one";
  EXPECT_THAT(error_of_body(without_output()), HasSubstr(expected));
  EXPECT_THAT(error_of_body(LayerChoice{"l", {{"a", without_output()}}}), HasSubstr(expected));
}

/// The error of verifying a graph that applies `body` to an image.
std::string error_of_graph(decltype(Node::body) body, Promise promise) {
  Graph graph("g");
  const Wire x = graph.add("x", Input{{4, 6, 6}}, {});
  graph.add_output("out", graph.add("y", std::move(body), {x}));
  return error_of([&] { verify(graph, promise); });
}

TEST(Verify, RefusesShapesThatDoNotFitInASpace) {
  EXPECT_EQ(error_of_graph(ops::linear({.out = 2}), Promise::Graph), "(no error)");
  EXPECT_THAT(error_of_graph(ops::linear({.out = 2}), Promise::Space), HasSubstr("node 'y'"));
}

TEST(Verify, RefusesALabelOfTwoDecisionsInASpace) {
  const LayerChoice inner{"l", {{"c", ops::identity()}}};
  Graph cell("inner");
  const Wire x = cell.add("input", Input{}, {});
  cell.add_output("out", cell.add("choice", inner, {x}));
  const LayerChoice outer{"l", {{"a", Cell(cell)}, {"b", ops::identity()}}};
  EXPECT_EQ(error_of_graph(outer, Promise::Graph), "(no error)");
  EXPECT_THAT(error_of_graph(outer, Promise::Space), HasSubstr("one label is one decision"));
}

TEST(Verify, RefusesCompositesAndNestedGraphsAmongPrimitives) {
  EXPECT_EQ(error_of_graph(ops::relu(), Promise::Primitives), "(no error)");
  EXPECT_THAT(error_of_graph(block(), Promise::Primitives), HasSubstr("'block' is a composite"));
  EXPECT_THAT(error_of_graph(LayerChoice{"l", {{"a", block()}}}, Promise::Primitives),
              HasSubstr("'block' is a composite"));
  Graph cell("inner");
  cell.add_output("out", cell.add("input", Input{}, {}));
  EXPECT_THAT(error_of_graph(Cell(cell), Promise::Primitives),
              HasSubstr("a nested graph is no candidate"));
  EXPECT_EQ(error_of_graph(LayerChoice{"l", {{"a", Cell(cell)}}}, Promise::Primitives),
            "(no error)");
}

TEST(Verify, RefusesWhatIsUndecidedInAModel) {
  const auto error = [](decltype(Node::body) body) {
    return error_of_graph(std::move(body), Promise::Model);
  };
  EXPECT_EQ(error(ops::relu()), "(no error)");
  EXPECT_THAT(error(LayerChoice{"l", {{"a", ops::relu()}}}), HasSubstr("it is not decided"));
  EXPECT_THAT(error(InputChoice{.label = "l", .names = {"a"}, .n_chosen = 1}),
              HasSubstr("it is not decided"));
  EXPECT_THAT(error(Placeholder{"l", {}, {4}}), HasSubstr("it is not decided"));
  EXPECT_THAT(error(ops::conv2d({.out = ValueChoice<int64_t>("w", {2, 4})})),
              HasSubstr("it is not decided"));
  Graph cell("inner");
  cell.add_output("out", cell.add("input", Input{}, {}));
  EXPECT_THAT(error(Cell(cell)), HasSubstr("a nested graph is left"));
}

TEST(Verify, RefusesANodeOfAModelThatLeadsToNoOutput) {
  Graph graph("g");
  const Wire x = graph.add("x", Input{{4}}, {});
  graph.add("unread_input", Input{{4}}, {});
  graph.add_output("out", x);
  verify(graph, Promise::Model);
  graph.add("loose", ops::relu(), {x});
  EXPECT_THAT(error_of([&] { verify(graph, Promise::Model); }),
              HasSubstr("node 'loose': it leads to no output"));
}

TEST(Verify, RunsAfterRewritesWhereItIsAskedFor) {
  EXPECT_TRUE(verifies_rewrites()) << "tests/verified_main.cpp turns it on";
  Graph graph("g");
  const Wire y = graph.add("y", ops::relu(), {graph.add("x", Input{{4}}, {})});
  const auto rewrite = [&] { graph.update_operation(y.node, without_output()); };
  EXPECT_THAT(error_of(rewrite), HasSubstr("after update_operation: graph 'g': node 'y'"));
  unsetenv("RETIA_VERIFY_IR");
  EXPECT_EQ(error_of(rewrite), "(no error)");
  setenv("RETIA_VERIFY_IR", "1", 1);
}

}  // namespace
}  // namespace retia::ir
