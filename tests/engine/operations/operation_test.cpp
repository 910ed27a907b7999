#include "retia/engine/operations/operation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/operations/drop.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

const Expression kOutputs = ValueChoice<int64_t>("width", {8, 16});

TEST(Operation, HoldsItsDefaultsToo) {
  const Operation conv = ops::conv2d({.out = 4});
  EXPECT_EQ(conv.type(), "conv2d");
  EXPECT_EQ(conv.parameters(), (Json{{"out", 4},
                                     {"kernel", 3},
                                     {"stride", 1},
                                     {"padding", -1},
                                     {"dilation", 1},
                                     {"groups", 1},
                                     {"depthwise", false},
                                     {"bias", false}}));
  EXPECT_EQ(conv, standard_operations().make("conv2d", {{"out", 4}}));
  EXPECT_FALSE(conv == ops::conv2d({.out = 5}));
  EXPECT_FALSE(ops::relu() == ops::identity());
}

TEST(Operation, SaysWhatItIs) {
  std::vector<std::string> zeros, skips;
  for (const std::string& type : standard_operations().types()) {
    const Operation one = standard_operations().make(type);
    if (one.kind().always_zero()) {
      zeros.push_back(type);
    }
    if (one.kind().is_skip()) {
      skips.push_back(type);
    }
  }
  EXPECT_THAT(zeros, UnorderedElementsAre("zero", "zeros"));
  EXPECT_THAT(skips, UnorderedElementsAre("identity", "drop_path", "fading_dropout"));
  EXPECT_FALSE(block().kind().always_zero());
  EXPECT_FALSE(block().kind().is_skip());
}

TEST(Operation, SaysWhereTheChannelsComeFromThatItOnlyPassesOn) {
  const auto passed_on = [](const Operation& operation, const std::vector<Shape>& inputs) {
    std::string text;
    const auto ranges = operation.kind().passed_on(operation.parameters(), inputs);
    for (const ChannelRange& range : ranges.value_or(std::vector<ChannelRange>())) {
      text += c10::str(range.input, ":", range.begin, "+", range.size, " ");
    }
    return ranges ? text : "computes";
  };
  EXPECT_EQ(passed_on(ops::identity(), {{6, 2, 2}}), "0:0+6 ");
  EXPECT_EQ(passed_on(ops::identity(), {{}}), "0:0+1 ");
  EXPECT_EQ(passed_on(ops::concat(), {{6}, {2}}), "0:0+6 1:0+2 ");
  EXPECT_EQ(passed_on(ops::split({.index = 1, .of = 3, .count = 2}), {{6, 2, 2}}), "0:2+4 ");
  EXPECT_EQ(passed_on(ops::relu(), {{6}}), "computes");
  EXPECT_EQ(passed_on(ops::fading_dropout(), {{6}}), "computes");
}

TEST(Operation, NamesTheNearestParameterWhenOneIsUnknown) {
  const std::string error = error_of([] { standard_operations().make("conv2d", {{"kernal", 3}}); });
  EXPECT_THAT(error, HasSubstr("operation 'conv2d'"));
  EXPECT_THAT(error, HasSubstr("did you mean 'kernel'"));
  EXPECT_THAT(error_of([] {
                standard_operations().make("conv2d", {{"kernel", "3"}});
              }),
              HasSubstr("kernel"));
}

TEST(Operation, ReplacesSomeParametersAndKeepsTheOthers) {
  const Operation conv = ops::conv2d({.out = 4, .kernel = 5});
  EXPECT_EQ(conv.with({{"out", 8}}), ops::conv2d({.out = 8, .kernel = 5}));
  EXPECT_THAT(error_of([&] { conv.with({{"outs", 8}}); }), HasSubstr("did you mean 'out'"));
}

TEST(Operation, DecidesItsValueChoices) {
  const Operation conv = ops::conv2d({.out = Dim(kOutputs) * 2, .kernel = 5});
  EXPECT_EQ(conv.at({{"width", {{1}}}}), ops::conv2d({.out = 32, .kernel = 5}));
  EXPECT_EQ(conv.at({}), conv);
  const Operation zeros = ops::nothing_chosen({.shape = {3, kOutputs}});
  EXPECT_EQ(zeros.at({{"width", {{0}}}}), ops::nothing_chosen({.shape = {3, 8}}));
}

TEST(Operation, LabelsValueChoicesByTheirParameter) {
  const Operation conv = ops::conv2d(
      {.out = ValueChoice<int64_t>({8, 16}), .kernel = ValueChoice<int64_t>("k", {1, 3})});
  std::vector<std::string> labels;
  const auto note = [&](const std::string& label, const std::vector<std::string>&) {
    labels.push_back(label);
  };
  conv.labelled("stem").visit_choices(note);
  EXPECT_THAT(labels, testing::UnorderedElementsAre("k", "stem/out"));
  labels.clear();
  ops::nothing_chosen({.shape = {1, ValueChoice<int64_t>({8, 16})}})
      .labelled("z")
      .visit_choices(note);
  EXPECT_THAT(labels, ElementsAre("z/shape/1"));
}

TEST(Operation, TellsWhichLabelsItsParametersDependOn) {
  const Expression outer = Expression::choice("outer", {Expression(Json(4)), kOutputs});
  const Operation conv = ops::conv2d({.out = outer, .kernel = ValueChoice<int64_t>("k", {1, 3})});
  const Architecture constant = {{"outer", {{0}}}, {"k", {{0}}}, {"width", {{0}}}};
  const Architecture nested = {{"outer", {{1}}}, {"k", {{0}}}, {"width", {{0}}}};
  EXPECT_THAT(conv.reached(constant), ElementsAre("k", "outer"));
  EXPECT_THAT(conv.reached(nested), ElementsAre("k", "outer", "width"));
}

TEST(Operation, FoldsConstantFormulasThatAreWritten) {
  const Json formula = Json::parse(R"({"out": {"op": "*", "operands": [2, 3]}})");
  EXPECT_EQ(standard_operations().make("conv2d", formula), ops::conv2d({.out = 6}));
}

}  // namespace
}  // namespace retia::ir
