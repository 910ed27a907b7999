#include "retia/engine/ir/lower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/ir/infer.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/engine/ir/names.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Lower, WritesCompositesAndCellsOutInPlace) {
  Builder b("net");
  Wire x = b.input("x", {3, 6, 6});
  x = b.add("stem", block({.out = 4}), {x});
  x = b.cell(
      "cell",
      [](Builder& c, Wire y) {
        y = c.add("deep", block(), {y});
        return c.layer_choice("op", {{"a", block()}, {"b", ops::identity()}}, {y});
      },
      x);
  b.output("y", x);
  const Graph space = b.finish();
  const Graph lowered = lower(space);
  EXPECT_THAT(names(lowered), ElementsAre("x", "stem/conv", "stem/bn", "cell/deep/conv",
                                          "cell/deep/bn", "cell/op"));
  const auto& choice = std::get<LayerChoice>(lowered.nodes().back().body);
  EXPECT_THAT(names(std::get<Cell>(choice.candidates[0].body).graph()),
              ElementsAre("input", "conv", "bn"));
  EXPECT_TRUE(std::holds_alternative<Operation>(choice.candidates[1].body));
  EXPECT_EQ(lowered.outputs().front().name, "y");
  EXPECT_EQ(lower(lowered), lowered);
  EXPECT_EQ(mutables(lowered).size(), mutables(space).size());
}

/// One part or two.
Wire deep_parts(Builder& b, Wire x, const BlockOptions& o) {
  x = b.add("conv", ops::conv2d({.out = 4}), {x});
  return o.kernel.max() > 1 ? b.add("wide", ops::conv2d({.kernel = o.kernel}), {x}) : x;
}

TEST(Lower, RefusesACompositeThatHasOtherPartsForSomeOptions) {
  const auto lowered = [](const Dim& kernel) {
    Builder b("net");
    b.output("y", b.add("deep", composite<&deep_parts>("deep", BlockOptions{.kernel = kernel}),
                        {b.input("x", {3, 6, 6})}));
    return names(lower(b.finish()));
  };
  EXPECT_THAT(lowered(ValueChoice<int64_t>("k", {3, 5})),
              ElementsAre("x", "deep/conv", "deep/wide"));
  EXPECT_THAT(error_of([&] {
                lowered(ValueChoice<int64_t>("k", {3, 1}));
              }),
              HasSubstr("'deep' has other parts where 'k' is 1"));
}

TEST(Lower, KeepsShapesAndLabels) {
  const Graph space = every_choice_space();
  const Graph lowered = lower(space);
  EXPECT_EQ(mutables(lowered), mutables(space));
  EXPECT_EQ(to_string(infer(lowered).at(lowered.outputs().front().wire.node)), "[3]");
}

TEST(Lower, RefusesAPartThatTakesTheNameOfANode) {
  Builder b("net");
  Wire x = b.input("x", {3, 6, 6});
  x = b.add("stem", block(), {x});
  b.output("y", b.add("stem/bn", ops::relu(), {x}));
  EXPECT_THAT(error_of([&] { lower(b.finish()); }), HasSubstr("two nodes named 'stem/bn'"));
}

TEST(Splice, AddsAPartUnderAPrefix) {
  Builder part("part");
  part.output("y", part.add("relu", ops::relu(), {part.input("input", {3})}));
  Graph target("net");
  const Wire x = target.add("x", Input{{3}}, {});
  const Wire y = splice(target, part.finish(), "p", {x});
  EXPECT_EQ(target.node(y).name, "p/relu");
  EXPECT_THAT(target.node(y).inputs, ElementsAre(x));
  EXPECT_THAT(error_of([&] { splice(target, Graph("empty"), "e", {x}); }),
              HasSubstr("'empty' needs one output, got 0"));
}

}  // namespace
}  // namespace retia::ir
