#include "retia/engine/ir/operation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

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
  const Operation zeros = ops::zeros({.shape = {3, kOutputs}});
  EXPECT_EQ(zeros.at({{"width", {{0}}}}), ops::zeros({.shape = {3, 8}}));
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
  ops::zeros({.shape = {1, ValueChoice<int64_t>({8, 16})}}).labelled("z").visit_choices(note);
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
