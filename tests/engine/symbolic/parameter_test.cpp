#include "retia/engine/symbolic/parameter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::HasSubstr;

TEST(Parameter, HoldsAValueOrAnExpression) {
  const Dim given = 64;
  EXPECT_TRUE(given.decided());
  EXPECT_EQ(given.value(), 64);
  const Dim chosen = ValueChoice<int64_t>("width", {32, 64});
  EXPECT_FALSE(chosen.decided());
  EXPECT_EQ(chosen.min(), 32);
  EXPECT_EQ(chosen.max(), 64);
  EXPECT_EQ(chosen.at({{"width", {{1}}}}).value(), 64);
  EXPECT_EQ(Parameter<std::string>("relu").value(), "relu");
  EXPECT_EQ(Parameter<double>(1).value(), 1.0);
  EXPECT_TRUE(Parameter<bool>(true).value());
}

TEST(Parameter, TakesNothingThatWouldLoseAPart) {
  EXPECT_FALSE((std::is_convertible_v<double, Dim>));
  EXPECT_FALSE((std::is_convertible_v<bool, Dim>));
  EXPECT_FALSE((std::is_convertible_v<int, Parameter<bool>>));
  EXPECT_FALSE((std::is_convertible_v<const char*, Parameter<bool>>));
  EXPECT_TRUE((std::is_convertible_v<int, Dim>));
  EXPECT_TRUE((std::is_convertible_v<size_t, Dim>));
  EXPECT_TRUE((std::is_convertible_v<int, Parameter<double>>));
}

TEST(Parameter, RefusesAValueOfAnotherType) {
  const Dim text = Expression(Json("wide"));
  EXPECT_THAT(error_of([&] { text.value(); }), HasSubstr("expected an integer, got \"wide\""));
  const Parameter<bool> one = Expression(Json(1));
  EXPECT_THAT(error_of([&] { one.value(); }), HasSubstr("expected true or false, got 1"));
  EXPECT_THAT(error_of([] { Json("a").get<Parameter<double>>(); }),
              HasSubstr("expected a number, got \"a\""));
  EXPECT_THAT(error_of([] { Json(1).get<Parameter<std::string>>(); }),
              HasSubstr("expected a text, got 1"));
  EXPECT_THAT(error_of([] { Json(2.5).get<Dim>(); }), HasSubstr("expected an integer, got 2.5"));
}

TEST(Parameter, ReadsBackFromJsonEqual) {
  const Dim chosen = ValueChoice<int64_t>("width", {32, 64});
  for (const Dim& dim : {Dim(7), chosen, chosen * 2 + 1}) {
    EXPECT_EQ(Json::parse(Json(dim).dump()).get<Dim>(), dim);
  }
}

TEST(Parameter, CalculatesWithSizes) {
  const Dim width = ValueChoice<int64_t>("width", {8, 15});
  const Architecture wide = {{"width", {{1}}}};
  EXPECT_EQ((width + 1).at(wide).value(), 16);
  EXPECT_EQ((width - 1).at(wide).value(), 14);
  EXPECT_EQ((2 * width).at(wide).value(), 30);
  EXPECT_EQ(floor_div(width, 2).at(wide).value(), 7);
  EXPECT_EQ((width % 4).at(wide).value(), 3);
  EXPECT_EQ(floor_div(-1, 2).value(), -1);
}

TEST(Shape, IsEqualWhenAllItsSizesAre) {
  const Dim width = ValueChoice<int64_t>("width", {8, 16});
  EXPECT_TRUE(always_equal(Shape{width + width, 4}, Shape{2 * width, 4}));
  EXPECT_FALSE(always_equal(Shape{width, 4}, Shape{width, 5}));
  EXPECT_FALSE(always_equal(Shape{4}, Shape{4, 4}));
  EXPECT_FALSE(always_equal(Shape{4, 4}, Shape{4}));
  EXPECT_TRUE(always_equal(Shape{}, Shape{}));
}

TEST(Shape, PrintsItsSizes) {
  EXPECT_EQ(to_string(Shape{16, 32, 32}), "[16, 32, 32]");
  EXPECT_EQ(to_string(Shape{ValueChoice<int64_t>("w", {1, 2})}), "[w{1,2}]");
  EXPECT_EQ(to_string(Shape{}), "[]");
}

}  // namespace
}  // namespace retia::ir
