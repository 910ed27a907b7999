#include "retia/engine/ir/builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/engine/space/freeze.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/ir/names.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::vector<CandidateWriter> relu_or_skip() {
  return {{"relu", ops::relu()}, {"skip", ops::identity()}};
}

TEST(Builder, WritesNodesInOrderAndKnowsTheirShapes) {
  Builder b("net");
  const Wire image = b.input("image", {3, 9, 9});
  const Wire conv = b.add("conv", ops::conv2d({.out = 8, .stride = 2}), {image});
  EXPECT_EQ(to_string(b.shape(conv)), "[8, 5, 5]");
  EXPECT_EQ(b.channels(conv).value(), 8);
  b.output("y", conv);
  const Graph graph = b.finish();
  EXPECT_EQ(graph.name(), "net");
  EXPECT_THAT(names(graph), ElementsAre("image", "conv"));
  EXPECT_EQ(graph.outputs().front().name, "y");
}

TEST(Builder, PrefixesNamesAndLabelsWithinAScope) {
  Builder b("net");
  Wire x = b.input("x", {4});
  {
    const auto cell = b.scope("cell0");
    x = b.layer_choice("op", relu_or_skip(), {x});
    const auto deeper = b.scope("deep");
    x = b.layer_choice("op", relu_or_skip(), {x});
  }
  x = b.layer_choice("op", relu_or_skip(), {x});
  b.output("y", x);
  const Graph graph = b.finish();
  EXPECT_THAT(names(graph), ElementsAre("x", "cell0/op", "cell0/deep/op", "op"));
  EXPECT_THAT(labels(mutables(graph)), ElementsAre("cell0/op", "cell0/deep/op", "op"));
}

TEST(Builder, SharesLabelsOfALabelScopeWhereverItStands) {
  Builder b("net");
  Wire x = b.input("x", {4, 6, 6});
  for (const std::string name : {"cell0", "cell1"}) {
    const auto scope = b.scope(name);
    const auto label = b.label_scope("normal");
    x = b.layer_choice("op", relu_or_skip(), {x});
    x = b.layer_choice("given", relu_or_skip(), {x}, {.label = "absolute"});
    x = b.add("conv", ops::conv2d({.kernel = ValueChoice<int64_t>({1, 3})}), {x});
    x = b.cell(
        "inner", [](Builder& c, Wire y) { return c.layer_choice("op", relu_or_skip(), {y}); }, x);
  }
  b.output("y", x);
  const Graph graph = b.finish();
  EXPECT_THAT(names(graph), ElementsAre("x", "cell0/op", "cell0/given", "cell0/conv", "cell0/inner",
                                        "cell1/op", "cell1/given", "cell1/conv", "cell1/inner"));
  EXPECT_THAT(labels(mutables(graph)),
              ElementsAre("normal/op", "absolute", "normal/conv/kernel", "normal/inner/op"));
}

TEST(Builder, TakesUnlabelledChoicesFromTheirPath) {
  Builder b("net");
  Wire x = b.input("x", {4});
  const auto scope = b.scope("s");
  const auto nested = [](Builder& c, Wire y) { return c.layer_choice("b", relu_or_skip(), {y}); };
  x = b.layer_choice("a", {{"n", nested}, {"skip", ops::identity()}}, {x});
  x = b.add("fc", ops::linear({.out = ValueChoice<int64_t>({2, 4})}), {x});
  b.output("y", x);
  EXPECT_THAT(labels(mutables(b.finish())), ElementsAre("s/a", "s/a/n/b", "s/fc/out"));
}

TEST(Builder, RefusesDotsAndNamesThatAreTaken) {
  Builder b("net");
  const Wire x = b.input("x", {4});
  EXPECT_THAT(error_of([&] { b.add("a.b", ops::relu(), {x}); }), HasSubstr("has a dot"));
  EXPECT_THAT(error_of([&] { b.add("x", ops::relu(), {x}); }), HasSubstr("two nodes named 'x'"));
  EXPECT_THAT(error_of([&] {
                b.layer_choice("c", {{"v1.5", ops::relu()}}, {x});
              }),
              HasSubstr("has a dot"));
  EXPECT_THAT(error_of([&] {
                Builder dotted("net");
                const Wire y = dotted.input("x", {4});
                dotted.output("y", dotted.layer_choice("c", relu_or_skip(), {y}, {.label = "a.b"}));
                dotted.finish();
              }),
              HasSubstr("label 'a.b' has a dot"));
}

TEST(Builder, NamesTheNodeAndBothShapesWhenTheyDoNotSuit) {
  Builder b("net");
  const Wire image = b.input("image", {3, 8, 8});
  const Wire half = b.add("half", ops::max_pool2d({.stride = 2}), {image});
  EXPECT_THAT(error_of([&] {
                b.add("sum", ops::add(), {image, half});
              }),
              AllOf(HasSubstr("node 'sum'"), HasSubstr("[3, 8, 8]"), HasSubstr("[3, 4, 4]")));
  EXPECT_THAT(error_of([&] {
                b.add("join", ops::concat(), {image, half});
              }),
              AllOf(HasSubstr("node 'join'"), HasSubstr("[3, 8, 8]"), HasSubstr("[3, 4, 4]")));
  EXPECT_THAT(error_of([&] {
                b.input_choice("pick", {image, half}, {.n_chosen = 2});
              }),
              AllOf(HasSubstr("node 'pick'"), HasSubstr("[3, 8, 8]"), HasSubstr("[3, 4, 4]")));
  EXPECT_THAT(error_of([&] { b.add("fc", ops::linear({.out = 2}), {image}); }),
              AllOf(HasSubstr("node 'fc'"), HasSubstr("[3, 8, 8]")));
  const auto scope = b.scope("s");
  EXPECT_THAT(error_of([&] {
                b.add("sum", ops::add(), {image, half});
              }),
              HasSubstr("node 's/sum'"));
}

TEST(Builder, RefusesANodeThatNothingReads) {
  Builder b("net");
  const Wire x = b.input("x", {4});
  b.add("left", ops::relu(), {x});
  EXPECT_THAT(error_of([&] { b.finish(); }), HasSubstr("'net' has no output"));
  b.output("y", b.add("right", ops::relu(), {x}));
  EXPECT_THAT(error_of([&] { b.finish(); }), HasSubstr("nothing reads node 'left'"));
}

TEST(Builder, RefusesChoicesThatCannotBeMade) {
  Builder b("net");
  const Wire x = b.input("x", {4});
  const Wire y = b.add("y", ops::relu(), {x});
  EXPECT_THAT(error_of([&] { b.layer_choice("c", {}, {x}); }), HasSubstr("at least one candidate"));
  EXPECT_THAT(error_of([&] {
                b.layer_choice("c", {{"a", ops::relu()}, {"a", ops::relu()}}, {x});
              }),
              HasSubstr("two candidates are named 'a'"));
  EXPECT_THAT(error_of([&] {
                b.input_choice("c", {x, y}, {.n_chosen = 3});
              }),
              HasSubstr("n_chosen 3 is outside 0 to 2"));
  EXPECT_THAT(error_of([&] { b.input_choice("c", {x, x}); }), HasSubstr("candidates"));
  EXPECT_THAT(error_of([&] { b.input_choice("c", {}); }), HasSubstr("at least one candidate"));
  EXPECT_THAT(error_of([&] {
                b.input_choice("c", {x, y}, {.names = {"a"}});
              }),
              HasSubstr("expected 2 candidate names, got 1"));
  EXPECT_THAT(error_of([&] {
                b.input_choice("c", {x, y}, {.reduction = Reduction::None});
              }),
              HasSubstr("use sum, mean or concat"));
  EXPECT_THAT(
      error_of([&] {
        b.input_choice("c", {x, y}, {.n_chosen = std::nullopt, .reduction = Reduction::Concat});
      }),
      HasSubstr("concat needs a fixed number"));
  EXPECT_THAT(error_of([&] {
                b.cell(
                    "c", [](Builder&, Wire) { return Wire{17}; }, x);
              }),
              HasSubstr("has no"));
}

TEST(Builder, NestsCellsAndChoicesInCandidates) {
  const Graph graph = every_choice_space();
  const auto& second = std::get<LayerChoice>(graph.nodes().at(3).body);
  const Graph& cell = std::get<Cell>(second.candidates.front().body).graph();
  EXPECT_THAT(names(cell), ElementsAre("input", "inner", "join"));
  EXPECT_EQ(cell.name(), "second/deep");
}

TEST(Builder, GivesAChoiceOfUnequalShapesASizeThatIsAChoice) {
  Builder b("net");
  const Wire x = b.input("x", {3, 8, 8});
  const Wire y = b.layer_choice(
      "op", {{"narrow", ops::conv2d({.out = 4})}, {"wide", ops::conv2d({.out = 6})}}, {x});
  EXPECT_EQ(to_string(b.shape(y)), "[op{4,6}, 8, 8]");
  const Wire z = b.input_choice("pick", {x, y});
  EXPECT_EQ(b.channels(z).at({{"pick", {{1}}}, {"op", {{1}}}}).value(), 6);
  EXPECT_THAT(error_of([&] {
                b.layer_choice("rank", {{"a", ops::identity()}, {"b", ops::flatten()}}, {x});
              }),
              AllOf(HasSubstr("node 'rank'"), HasSubstr("[3, 8, 8]"), HasSubstr("[192]")));
}

TEST(Builder, RepeatsABodyAFixedNumberOfTimes) {
  Builder b("net");
  const Wire x = b.input("x", {4});
  const auto body = [](Builder& c, Wire y) { return c.add("relu", ops::relu(), {y}); };
  EXPECT_EQ(b.repeat("none", 0, body, x), x);
  b.output("y", b.repeat("r", 3, body, x));
  EXPECT_THAT(names(b.finish()), ElementsAre("x", "r/0/relu", "r/1/relu", "r/2/relu"));
}

TEST(Builder, RepeatsABodyAsOftenAsAValueChoiceDecides) {
  Builder b("net");
  const Wire x = b.input("x", {4});
  const auto body = [](Builder& c, Wire y) { return c.layer_choice("op", relu_or_skip(), {y}); };
  b.output("y", b.repeat("r", ValueChoice<int64_t>("depth", {3, 0, 1}), body, x));
  const Graph graph = b.finish();
  EXPECT_THAT(labels(mutables(graph)), ElementsAre("r/0/op", "r/1/op", "r/2/op", "depth"));
  const Architecture all = {
      {"r/0/op", {{0}}}, {"r/1/op", {{0}}}, {"r/2/op", {{0}}}, {"depth", {{0}}}};
  EXPECT_THAT(names(freeze(graph, all)),
              ElementsAre("x", "r/0/op/relu", "r/1/op/relu", "r/2/op/relu"));
  Architecture none = all;
  none["depth"] = {{1}};
  EXPECT_THAT(names(freeze(graph, none)), ElementsAre("x"));
  EXPECT_EQ(canonical(graph, none), (Architecture{{"depth", {{1}}}}));
  Architecture one = all;
  one["depth"] = {{2}};
  EXPECT_THAT(names(freeze(graph, one)), ElementsAre("x", "r/0/op/relu"));
}

TEST(Builder, LabelsADepthWithoutALabelByItsPath) {
  Builder b("net");
  const Wire x = b.input("x", {4});
  const auto body = [](Builder& c, Wire y) { return c.add("relu", ops::relu(), {y}); };
  const auto scope = b.scope("s");
  b.output("y", b.repeat("r", ValueChoice<int64_t>({1, 2}), body, x));
  EXPECT_THAT(labels(mutables(b.finish())), ElementsAre("s/r/depth"));
}

TEST(Builder, DecidesADepthAsAValueByWhateverFormulaItIs) {
  Builder b("net");
  const Wire x = b.input("x", {4});
  const auto body = [](Builder& c, Wire y) { return c.add("relu", ops::relu(), {y}); };
  const Expression n = ValueChoice("n", {0, 1, 2});
  const Expression deep = ValueChoice("deep", {false, true});
  b.output("y", b.repeat("r", condition(deep, 2 * n, 1), body, x));
  const Graph graph = b.finish();
  EXPECT_THAT(labels(mutables(graph)), UnorderedElementsAre("deep", "n"));
  for (const Mutable& choice : mutables(graph)) {
    EXPECT_EQ(choice.kind, MutableKind::ValueChoice);
  }
  for (int64_t k = 0; k < 3; ++k) {
    EXPECT_EQ(freeze(graph, {{"deep", {{1}}}, {"n", {{k}}}}).nodes().size(), 1 + 2 * k);
    const Architecture shallow = {{"deep", {{0}}}, {"n", {{k}}}};
    EXPECT_EQ(freeze(graph, shallow).nodes().size(), 2);
    EXPECT_EQ(canonical(graph, shallow), (Architecture{{"deep", {{0}}}}));
  }
  EXPECT_TRUE(graph_from_json(Json::parse(to_json(graph).dump()), standard_operations()) == graph);
}

TEST(Builder, SharesADepthWithASizeOfTheSameLabel) {
  Builder b("net");
  Wire x = b.input("x", {4});
  const Dim depth = between("depth", 1, 3);
  const auto body = [](Builder& c, Wire y) { return c.add("relu", ops::relu(), {y}); };
  x = b.add("fc", ops::linear({.out = 8 * depth}), {x});
  b.output("y", b.repeat("r", depth, body, x));
  const Graph graph = b.finish();
  ASSERT_EQ(mutables(graph).size(), 1);
  const Graph frozen = freeze(graph, {{"depth", {{2}}}});
  EXPECT_EQ(frozen.nodes().size(), 5);
  EXPECT_EQ(to_string(infer(frozen).at(frozen.outputs().front().wire.node)), "[24]");
}

TEST(Builder, GivesBlocksThatAreSharedOneDecision) {
  const auto space = [](Blocks blocks) {
    Builder b("net");
    const Wire x = b.input("x", {4});
    const auto body = [](Builder& c, Wire y) { return c.layer_choice("op", relu_or_skip(), {y}); };
    b.output("y", b.repeat("r", between(0, 2), body, x, blocks));
    return b.finish();
  };
  EXPECT_THAT(labels(mutables(space(Blocks::Independent))),
              ElementsAre("r/0/op", "r/1/op", "r/depth"));
  const Graph shared = space(Blocks::Shared);
  EXPECT_THAT(labels(mutables(shared)), ElementsAre("r/op", "r/depth"));
  EXPECT_THAT(names(freeze(shared, {{"r/op", {{1}}}, {"r/depth", {{2}}}})),
              ElementsAre("x", "r/0/op/skip", "r/1/op/skip"));
}

TEST(Builder, TellsEachBlockItsIndex) {
  Builder b("net");
  const Wire x = b.input("x", {4});
  const auto body = [](Builder& c, Wire y, int64_t index) {
    return c.add("fc", ops::linear({.out = 10 + index}), {y});
  };
  b.output("y", b.repeat("r", between("depth", 0, 2), body, x));
  const Graph graph = b.finish();
  for (const auto& [index, size] :
       std::vector<std::pair<int64_t, std::string>>{{0, "[4]"}, {1, "[10]"}, {2, "[11]"}}) {
    const Graph frozen = freeze(graph, {{"depth", {{index}}}});
    EXPECT_EQ(to_string(infer(frozen).at(frozen.outputs().front().wire.node)), size);
  }
}

TEST(Builder, RefusesADepthThatIsNone) {
  Builder b("net");
  const Wire x = b.input("x", {4});
  const auto body = [](Builder& c, Wire y) { return c.add("relu", ops::relu(), {y}); };
  const auto error = [&](const Dim& depth) {
    return error_of([&] { b.repeat("r", depth, body, x); });
  };
  EXPECT_THAT(error(-1), HasSubstr("repeat 'r': the depth -1 is below 0"));
  EXPECT_THAT(error(between("depth", 0, 2) - 1), HasSubstr("(depth{0,1,2} - 1) is below 0"));
  EXPECT_THAT(error(ValueChoice("depth", {0.5, 1.0})), HasSubstr("expected an integer, got 0.5"));
  EXPECT_THAT(error(ValueChoice("depth", {"a", "b"})), HasSubstr("is not a number"));
}

TEST(Builder, ChoosesFromWhatIsNamed) {
  Builder b("net");
  const Wire x = b.input("x", {4});
  {
    const auto scope = b.scope("cell");
    b.add("relu", ops::relu(), {x});
    b.layer_choice("op", relu_or_skip(), {x}, {.label = "operation"});
    const auto deeper = b.scope("deep");
    b.output("y", b.choose_from("pick", {"relu", "operation", "x"}, {.n_chosen = 2}));
  }
  EXPECT_THAT(error_of([&] {
                b.choose_from("other", {"x", "cell/rely"});
              }),
              HasSubstr("node 'other': the key 'cell/rely' names no node before it; did you mean "
                        "'cell/relu'?"));
  EXPECT_THAT(error_of([&] { b.choose_from("other", {"relu"}); }), HasSubstr("the key 'relu'"));
  EXPECT_THAT(error_of([&] { b.choose_from("other", {""}); }), HasSubstr("the key ''"));
  const Graph graph = b.finish();
  const Mutable pick = mutables(graph).back();
  EXPECT_THAT(pick.names, ElementsAre("relu", "operation", "x"));
  EXPECT_THAT(pick.fed_by, ElementsAre("", "operation", ""));
  EXPECT_EQ(choices_to_json({{"cell/deep/pick", {{0, 2}}}}, mutables(graph)).dump(),
            R"({"cell/deep/pick":["relu","x"]})");
  EXPECT_THAT(names(freeze(graph, {{"cell/deep/pick", {{0, 2}}}})),
              ElementsAre("x", "cell/relu", "cell/deep/pick"));
}

TEST(Builder, RefusesAKeyThatIsTheLabelOfSeveralChoices) {
  Builder b("net");
  const Wire x = b.input("x", {4});
  b.layer_choice("a", relu_or_skip(), {x}, {.label = "op"});
  b.layer_choice("b", relu_or_skip(), {x}, {.label = "op"});
  EXPECT_THAT(error_of([&] { b.choose_from("pick", {"op"}); }),
              HasSubstr("the key 'op' is the label of 2 choices: name the node"));
}

TEST(Builder, KeepsAPlaceholderWithItsParametersAndShape) {
  Builder b("net");
  const Wire x = b.input("x", {4});
  const Wire y = b.placeholder(
      "block", {.label = "mutable_0", .parameters = {{"skip", true}}, .shape = {8}}, {x});
  EXPECT_EQ(to_string(b.shape(y)), "[8]");
  b.output("y", y);
  const Graph graph = b.finish();
  EXPECT_EQ(std::get<Placeholder>(graph.node(y).body).label, "mutable_0");
  EXPECT_TRUE(mutables(graph).empty());
}

}  // namespace
}  // namespace retia::ir
