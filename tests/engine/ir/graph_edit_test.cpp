#include <gmock/gmock.h>

#include "retia/engine/ir/builder.h"
#include "retia/engine/ir/infer.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/linear.h"
#include "retia/tests/engine/ir/names.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// x -> a -> b -> sum(a, b) -> y, all of four features.
Graph example() {
  Builder net("example");
  const Wire x = net.input("x", {4});
  const Wire a = net.add("a", ops::linear({.out = 4}), {x});
  const Wire b = net.add("b", ops::relu(), {a});
  net.output("y", net.add("sum", ops::add(), {a, b}));
  return net.finish();
}

std::vector<std::string> read_by(const Graph& graph, const std::string& name) {
  std::vector<std::string> found;
  for (const Wire wire : graph.node(graph.named(name)).inputs) {
    found.push_back(graph.node(wire).name);
  }
  return found;
}

TEST(GraphEdit, FindsNodesByLabelTypeAndName) {
  Builder net("net");
  const Wire x = net.input("x", {4});
  const Wire a = net.placeholder("a", {.label = "block", .shape = {4}}, {x});
  const Wire b = net.placeholder("b", {.label = "other", .shape = {4}}, {a});
  const Wire c = net.placeholder("c", {.label = "block", .shape = {4}}, {b});
  const Wire cell = net.cell(
      "cell", [](Builder& inner, Wire y) { return inner.add("relu", ops::relu(), {y}); }, c);
  const Wire d = net.add("d", ops::relu(), {cell});
  net.output("y", net.layer_choice("e", {{"relu", ops::relu()}}, {d}, {.label = "last"}));
  const Graph graph = net.finish();
  EXPECT_THAT(graph.labelled("block"), ElementsAre(a.node, c.node));
  EXPECT_THAT(graph.labelled("last"), ElementsAre(graph.named("e")));
  EXPECT_THAT(graph.labelled("none"), ElementsAre());
  EXPECT_THAT(graph.of_type("relu"), ElementsAre(d.node));
  EXPECT_THAT(graph.of_type("cell"), ElementsAre(cell.node));
  EXPECT_EQ(graph.named("b"), b.node);
  EXPECT_THAT(error_of([&] { graph.named("cel"); }),
              HasSubstr("graph 'net' has no node 'cel'; did you mean 'cell'?"));
}

TEST(GraphEdit, UpdatesWhatANodeComputesAndKeepsIdNameAndInputs) {
  Graph graph = example();
  const NodeId b = graph.named("b");
  graph.update_operation(b, ops::tanh());
  EXPECT_EQ(std::get<Operation>(graph.node(b).body), ops::tanh());
  EXPECT_THAT(read_by(graph, "b"), ElementsAre("a"));
  EXPECT_THAT(graph.of_type("relu"), ElementsAre());
  EXPECT_THAT(error_of([&] { graph.update_operation(graph.named("x"), ops::tanh()); }),
              HasSubstr("node 'x' is an input of the graph"));
}

TEST(GraphEdit, InsertsOnOneEdgeInTopologicalOrder) {
  Graph graph = example();
  graph.insert("between", ops::tanh(), {graph.named("a")}, graph.named("sum"));
  EXPECT_THAT(names(graph), ElementsAre("x", "a", "b", "between", "sum"));
  EXPECT_THAT(read_by(graph, "sum"), ElementsAre("between", "b"));
  EXPECT_THAT(read_by(graph, "b"), ElementsAre("a"));
  infer(graph);
  EXPECT_THAT(
      error_of([&] { graph.insert("late", ops::tanh(), {graph.named("x")}, graph.named("sum")); }),
      HasSubstr("node 'sum' does not read node 'x'"));
  EXPECT_THAT(
      error_of([&] { graph.insert("b", ops::tanh(), {graph.named("a")}, graph.named("b")); }),
      HasSubstr("two nodes named 'b'"));
}

TEST(GraphEdit, InsertsBeforeAllReadersAndOutputs) {
  Graph graph = example();
  graph.insert_after("between", ops::tanh(), {graph.named("a")});
  EXPECT_THAT(names(graph), ElementsAre("x", "a", "between", "b", "sum"));
  EXPECT_THAT(read_by(graph, "sum"), ElementsAre("between", "b"));
  EXPECT_THAT(read_by(graph, "between"), ElementsAre("a"));
  graph.insert_after("end", ops::tanh(), {graph.named("sum")});
  EXPECT_EQ(graph.outputs().front().wire.node, graph.named("end"));
  infer(graph);
}

TEST(GraphEdit, ConnectsAndRefusesCircles) {
  Graph graph = example();
  const Wire late = graph.add("late", ops::tanh(), {{graph.named("x")}});
  graph.connect(graph.named("b"), {late});
  EXPECT_THAT(names(graph), ElementsAre("x", "a", "late", "b", "sum"));
  const Graph before = graph;
  EXPECT_THAT(error_of([&] { graph.connect(graph.named("a"), {{graph.named("sum")}}); }),
              HasSubstr("would read what it makes"));
  EXPECT_EQ(graph, before);
}

TEST(GraphEdit, RemovesANodeAndLetsItsReadersReadItsInput) {
  Graph graph = example();
  graph.remove(graph.named("a"));
  EXPECT_THAT(names(graph), ElementsAre("x", "b", "sum"));
  EXPECT_THAT(read_by(graph, "sum"), ElementsAre("x", "b"));
  EXPECT_THAT(error_of([&] { graph.remove(graph.named("sum")); }),
              HasSubstr("node 'sum' has 2 inputs and is the output 'y'"));
  EXPECT_THAT(error_of([&] { graph.remove(graph.named("x")); }),
              HasSubstr("node 'x' is an input of the graph"));
  graph.add("more", ops::relu(), {{graph.named("sum")}});
  EXPECT_THAT(error_of([&] { graph.remove(graph.named("sum")); }),
              HasSubstr("node 'sum' has 2 inputs and node 'more' reads it"));
  graph.remove(graph.named("more"));
  EXPECT_THAT(names(graph), ElementsAre("x", "b", "sum"));
}

TEST(GraphEdit, SpecialisesOneUseOfACell) {
  Builder net("net");
  const auto body = [](Builder& inner, Wire y) { return inner.add("op", ops::relu(), {y}); };
  const Wire first = net.cell("first", body, net.input("x", {4}));
  const Wire second = net.cell("second", body, first);
  net.output("y", second);
  Graph graph = net.finish();
  graph.specialise(first.node,
                   [](Graph& cell) { cell.update_operation(cell.named("op"), ops::tanh()); });
  const auto type_in = [&](Wire cell) {
    const Graph& inner = std::get<Cell>(graph.node(cell).body).graph();
    return std::get<Operation>(inner.node(inner.named("op")).body).type();
  };
  EXPECT_EQ(type_in(first), "tanh");
  EXPECT_EQ(type_in(second), "relu");
  EXPECT_THAT(error_of([&] { graph.specialise(graph.named("x"), [](Graph&) {}); }),
              HasSubstr("node 'x' is no nested graph"));
}

}  // namespace
}  // namespace retia::ir
