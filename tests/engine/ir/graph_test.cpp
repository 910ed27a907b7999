#include "retia/engine/ir/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/ir/names.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Mutable& find(const std::vector<Mutable>& mutables, const std::string& label) {
  for (const Mutable& choice : mutables) {
    if (choice.label == label) {
      return choice;
    }
  }
  TORCH_CHECK(false, "no mutable '", label, "'");
}

TEST(Graph, IsAValueWhoseCopiesAreApart) {
  Graph graph("g");
  const Wire input = graph.add("x", Input{{3}}, {});
  const Graph before = graph;
  EXPECT_EQ(before, graph);
  const Wire relu = graph.add("relu", ops::relu(), {input});
  graph.add_output("y", relu);
  EXPECT_FALSE(before == graph);
  EXPECT_EQ(before.nodes().size(), 1);
  EXPECT_EQ(graph.node(relu).name, "relu");
  EXPECT_THAT(graph.node(relu).inputs, ElementsAre(input));
  ASSERT_EQ(graph.inputs().size(), 1);
  EXPECT_EQ(graph.inputs().front()->name, "x");
}

TEST(Graph, ComparesCellsByWhatTheyHold) {
  EXPECT_EQ(every_choice_space(), every_choice_space());
  const Graph one = every_choice_space();
  Graph copy = one;
  EXPECT_EQ(Cell(one), Cell(copy));
  copy.add_output("again", one.outputs().front().wire);
  EXPECT_FALSE(Cell(one) == Cell(copy));
}

TEST(Graph, RefusesNamesThatAreTakenOrMalformed) {
  Graph graph("g");
  graph.add("x", Input{{3}}, {});
  const auto error = [&](const std::string& name) {
    return error_of([&] { graph.add(name, Input{{3}}, {}); });
  };
  EXPECT_THAT(error("x"), HasSubstr("graph 'g' has two nodes named 'x'"));
  EXPECT_THAT(error("a.b"), HasSubstr("'a.b' has a dot"));
  for (const char* name : {"", "/a", "a/", "a//b"}) {
    EXPECT_THAT(error(name), HasSubstr("is no name of a node")) << name;
  }
  EXPECT_EQ(graph.nodes().size(), 1);
}

TEST(Graph, RefusesInputsAndOutputsThatAreNotThere) {
  Graph graph("g");
  const Wire x = graph.add("x", Input{{3}}, {});
  EXPECT_THAT(error_of([&] { graph.add("y", ops::relu(), {{5}}); }),
              HasSubstr("graph 'g' has no node with id 5"));
  EXPECT_THAT(error_of([&] { graph.add_output("y", {-1}); }), HasSubstr("no node with id -1"));
  graph.add_output("y", x);
  EXPECT_THAT(error_of([&] { graph.add_output("y", x); }), HasSubstr("two outputs named 'y'"));
}

TEST(Graph, RefusesCandidatesThatNoArchitectureCouldName) {
  Graph graph("g");
  const Wire x = graph.add("x", Input{{3}}, {});
  const auto error = [&](decltype(Node::body) body) {
    return error_of([&] { graph.add("choice", body, {x, x}); });
  };
  EXPECT_THAT(error(LayerChoice{"l", {{"a", ops::relu()}, {"a", ops::relu()}}}),
              HasSubstr("two candidates are named 'a'"));
  EXPECT_THAT(error(LayerChoice{"l", {{"a.b", ops::relu()}}}), HasSubstr("'a.b' has a dot"));
  EXPECT_THAT(error(LayerChoice{"l", {{"", ops::relu()}}}), HasSubstr("'' is no name"));
  EXPECT_THAT(error(InputChoice{.label = "l", .names = {"a", "a"}}),
              HasSubstr("two candidates are named 'a'"));
  EXPECT_THAT(error(InputChoice{.label = "l", .names = {"a", "b"}, .n_chosen = 3}),
              HasSubstr("n_chosen 3 is outside 0 to 2, its number of candidates"));
  EXPECT_THAT(error(InputChoice{.label = "l", .names = {"a", "b"}, .n_chosen = -1}),
              HasSubstr("n_chosen -1 is outside"));
}

TEST(Graph, ListsItsMutablesInOrderOuterBeforeInner) {
  const std::vector<Mutable> found = mutables(every_choice_space());
  EXPECT_THAT(labels(found), ElementsAre("first", "second", "second/deep/inner", "second/deep/join",
                                         "one", "mean", "wide", "any"));
  EXPECT_EQ(found[0],
            (Mutable{.label = "first", .names = {"conv", "pool", "none", "skip"}, .zeros = {2}}));
  EXPECT_EQ(find(found, "second/deep/join"), (Mutable{.label = "second/deep/join",
                                                      .kind = MutableKind::InputChoice,
                                                      .names = {"input", "inner"},
                                                      .n_chosen = std::nullopt,
                                                      .scope = "second/deep",
                                                      .fed_by = {"", "second/deep/inner"}}));
  EXPECT_THAT(find(found, "mean").fed_by, ElementsAre("", "first", "second"));
  EXPECT_EQ(find(found, "mean").n_chosen, 2);
}

TEST(Graph, ListsValueChoicesWhereverTheyStand) {
  Builder b("g");
  Wire x = b.input("x", {4, 6, 6});
  const Expression kernel = ValueChoice<int64_t>({1, 3});
  x = b.add("stem", block({.out = ValueChoice<int64_t>("width", {4, 8}), .kernel = kernel}), {x});
  x = b.layer_choice("op", {{"a", block({.kernel = kernel})}, {"b", ops::identity()}}, {x});
  x = b.cell(
      "cell", [&](Builder& c, Wire y) { return c.add("conv", block({.kernel = kernel}), {y}); }, x);
  b.output("y", x);
  const std::vector<Mutable> found = mutables(b.finish());
  EXPECT_THAT(labels(found), testing::UnorderedElementsAre("width", "stem/kernel", "op",
                                                           "op/a/kernel", "cell/conv/kernel"));
  EXPECT_THAT(find(found, "width").names, ElementsAre("4", "8"));
  EXPECT_EQ(find(found, "width").kind, MutableKind::ValueChoice);
  EXPECT_EQ(find(found, "cell/conv/kernel").scope, "cell");
}

TEST(Graph, RefusesUnlikeChoicesOfOneLabel) {
  const auto error = [](const std::function<void(Builder&, Wire)>& write) {
    return error_of([&] {
      Builder b("g");
      const Wire x = b.input("x", {3, 4, 4});
      const Wire y = b.layer_choice("a", {{"p", ops::relu()}, {"q", ops::identity()}}, {x},
                                    {.label = "shared"});
      write(b, y);
    });
  };
  const auto finish = [](Builder& b, Wire y) {
    b.output("y", y);
    b.finish();
  };
  EXPECT_THAT(error([&](Builder& b, Wire y) {
                finish(b, b.layer_choice("b", {{"p", ops::relu()}, {"r", ops::identity()}}, {y},
                                         {.label = "shared"}));
              }),
              HasSubstr("'shared' has candidates [p, q] in one place and [p, r] in another"));
  EXPECT_THAT(error([&](Builder& b, Wire y) {
                finish(b, b.input_choice("b", {y, b.add("c", ops::relu(), {y})},
                                         {.label = "shared", .names = {"p", "q"}}));
              }),
              HasSubstr("'shared' is a layer choice and a input choice"));
  EXPECT_THAT(error([&](Builder& b, Wire y) {
                const Wire z = b.add("c", ops::relu(), {y});
                const Wire one = b.input_choice("i", {y, z}, {.label = "n"});
                finish(b, b.input_choice("j", {one, z},
                                         {.n_chosen = 2, .label = "n", .names = {"a", "c"}}));
              }),
              HasSubstr("'n' chooses a different number of candidates"));
}

TEST(Graph, RefusesAChoiceInsideOneOfItsOwnLabel) {
  Builder b("g");
  const Wire x = b.input("x", {3, 4, 4});
  const auto nested = [](Builder& c, Wire y) {
    return c.layer_choice("b", {{"p", ops::relu()}, {"q", ops::identity()}}, {y},
                          {.label = "shared"});
  };
  const Wire y =
      b.layer_choice("a", {{"p", nested}, {"q", ops::identity()}}, {x}, {.label = "shared"});
  b.output("y", y);
  EXPECT_THAT(error_of([&] { b.finish(); }),
              HasSubstr("'a/p/b' stands inside a choice of its own label 'shared'"));
}

TEST(InContext, PutsTheContextBeforeTheMessageAndReturnsTheResult) {
  EXPECT_EQ(in_context("node 'a'", [] { return 7; }), 7);
  EXPECT_EQ(error_of([] { in_context("node 'a'", [] { TORCH_CHECK(false, "too wide"); }); }),
            "node 'a': too wide");
}

}  // namespace
}  // namespace retia::ir
