#include "retia/engine/symbolic/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr int64_t kLargest = std::numeric_limits<int64_t>::max();
constexpr int64_t kSmallest = std::numeric_limits<int64_t>::min();

Expression number(const Json& value) { return Expression(value); }

Expression choice(const std::string& label, const std::vector<Json>& options) {
  std::vector<Expression> expressions;
  for (const Json& option : options) {
    expressions.emplace_back(option);
  }
  return Expression::choice(label, expressions);
}

Json folded(const std::string& op, const Json& a, const Json& b) {
  return Expression::apply(op, {number(a), number(b)}).value();
}

/// A sum of `n` binary choices of 1 or 2, which takes 2^n combinations.
Expression sum_of_choices(int64_t n) {
  Expression sum = number(0);
  for (int64_t i = 0; i < n; ++i) {
    sum = Expression::apply("+", {sum, choice(std::string("c").append(std::to_string(i)), {1, 2})});
  }
  return sum;
}

TEST(Expression, FoldsIntegersAsIntegers) {
  EXPECT_EQ(folded("+", 7, -3).dump(), "4");
  EXPECT_EQ(folded("-", 7, -3).dump(), "10");
  EXPECT_EQ(folded("*", 7, -3).dump(), "-21");
  EXPECT_EQ(folded("min", 7, -3).dump(), "-3");
  EXPECT_EQ(folded("max", 7, -3).dump(), "7");
  EXPECT_EQ(folded("/", 7, 2).dump(), "3.5");
}

TEST(Expression, RoundsDivisionTowardsMinusInfinityForEverySign) {
  for (const auto& [a, b, quotient, remainder] :
       std::vector<std::array<int64_t, 4>>{{7, 2, 3, 1},
                                           {-7, 2, -4, 1},
                                           {7, -2, -4, -1},
                                           {-7, -2, 3, -1},
                                           {6, 3, 2, 0},
                                           {-6, 3, -2, 0},
                                           {0, 5, 0, 0}}) {
    EXPECT_EQ(folded("//", a, b).dump(), std::to_string(quotient)) << a << " // " << b;
    EXPECT_EQ(folded("%", a, b).dump(), std::to_string(remainder)) << a << " % " << b;
    const double x = static_cast<double>(a) / 2;
    const double y = static_cast<double>(b) / 2;
    EXPECT_EQ(folded("//", x, y).get<double>(), static_cast<double>(quotient));
    EXPECT_EQ(folded("%", x, y).get<double>(), static_cast<double>(remainder) / 2);
  }
}

TEST(Expression, FoldsMixedNumbersAsFloatingPoint) {
  EXPECT_EQ(folded("+", 1, 0.5).dump(), "1.5");
  EXPECT_EQ(folded("*", 3, 2.0).dump(), "6.0");
  EXPECT_EQ(folded("max", 1, 1.5).dump(), "1.5");
}

TEST(Expression, RefusesWhatHasNoValue) {
  EXPECT_THAT(error_of([] { folded("/", 1, 0); }), HasSubstr("division of 1 by zero"));
  EXPECT_THAT(error_of([] { folded("//", 1, 0); }), HasSubstr("by zero"));
  EXPECT_THAT(error_of([] { folded("%", 1.5, 0.0); }), HasSubstr("by zero"));
  EXPECT_THAT(error_of([] { folded("+", 1, "a"); }), HasSubstr("needs two numbers, got 1 and"));
  EXPECT_THAT(error_of([] { folded("*", true, 2); }), HasSubstr("needs two numbers"));
  EXPECT_THAT(error_of([] { folded("**", 1, 2); }), HasSubstr("unknown operator '**'"));
  EXPECT_THAT(error_of([] {
                Expression::apply("round", {number(1), number(2)});
              }),
              HasSubstr("needs one operand, got 2"));
  EXPECT_THAT(error_of([] { Expression::apply("+", {number(1)}); }),
              HasSubstr("needs two operands, got 1"));
  EXPECT_THAT(error_of([] { Expression::choice("w", {}); }), HasSubstr("'w' needs at least one"));
  EXPECT_THAT(error_of([] { number(nullptr); }), HasSubstr("got null"));
  EXPECT_THAT(error_of([] { number(Json::array({1})); }), HasSubstr("got [1]"));
}

TEST(Expression, RefusesIntegersBeyond64BitsInsteadOfWrapping) {
  EXPECT_THAT(error_of([] { folded("+", kLargest, 1); }), HasSubstr("64 bits"));
  EXPECT_THAT(error_of([] { folded("-", kSmallest, 1); }), HasSubstr("64 bits"));
  EXPECT_THAT(error_of([] { folded("*", kLargest, 2); }), HasSubstr("64 bits"));
  EXPECT_THAT(error_of([] { folded("//", kSmallest, -1); }), HasSubstr("64 bits"));
  EXPECT_EQ(folded("%", kSmallest, -1).get<int64_t>(), 0);
  EXPECT_THAT(error_of([] { number(std::numeric_limits<uint64_t>::max()); }), HasSubstr("64 bits"));
}

TEST(Expression, IsDecidedStepByStep) {
  const Expression width = choice("width", {8, 16});
  const Expression depth = choice("depth", {2, 3});
  const Expression product = Expression::apply("*", {width, depth});
  const Expression half = product.at({{"width", {{1}}}, {"unrelated", {{7}}}});
  EXPECT_FALSE(half.decided());
  EXPECT_EQ(half.to_string(), "(16 * depth{2,3})");
  EXPECT_EQ(half.at({{"depth", {{0}}}}).value(), 32);
  EXPECT_EQ(product.at({{"width", {{0}}}, {"depth", {{1}}}}).value(), 24);
}

TEST(Expression, ChoosesOptionsThatAreExpressionsThemselves) {
  const Expression inner = choice("inner", {1, 2});
  const Expression outer =
      Expression::choice("outer", {number(10), Expression::apply("+", {inner, number(100)})});
  EXPECT_EQ(outer.at({{"outer", {{0}}}}).value(), 10);
  EXPECT_EQ(outer.at({{"outer", {{1}}}, {"inner", {{1}}}}).value(), 102);
  EXPECT_THAT(outer.options(), ElementsAre(10, 101, 102));
  EXPECT_THAT(outer.choices(), ElementsAre(Pair("inner", 2), Pair("outer", 2)));
}

TEST(Expression, TellsWhichLabelsItsValueDependsOn) {
  const Expression inner = choice("inner", {1, 2});
  const Expression outer = Expression::choice("outer", {number(10), inner});
  const Expression sum = Expression::apply("+", {outer, choice("third", {1, 2})});
  const Architecture first = {{"outer", {{0}}}, {"inner", {{0}}}, {"third", {{0}}}};
  const Architecture second = {{"outer", {{1}}}, {"inner", {{0}}}, {"third", {{0}}}};
  EXPECT_THAT(sum.reached(first), ElementsAre("outer", "third"));
  EXPECT_THAT(sum.reached(second), ElementsAre("inner", "outer", "third"));
  EXPECT_THAT(number(4).reached(first), ElementsAre());
}

TEST(Expression, NamesTheChoiceInErrorsOfDecisions) {
  const Expression width = choice("width", {8, 16});
  EXPECT_THAT(error_of([&] {
                width.at({{"width", {{2}}}});
              }),
              HasSubstr("'width': index 2 is outside its 2 options"));
  EXPECT_THAT(error_of([&] { width.at({{"width", {{-1}}}}); }), HasSubstr("index -1 is outside"));
  EXPECT_THAT(error_of([&] {
                width.at({{"width", {{0, 1}}}});
              }),
              HasSubstr("'width' needs one chosen option, got 2"));
  EXPECT_THAT(error_of([&] { width.at({{"width", {}}}); }), HasSubstr("got 0"));
  EXPECT_THAT(error_of([&] { width.value(); }), HasSubstr("width{8,16} is not decided yet"));
}

TEST(Expression, EnumeratesEachLabelOnce) {
  const Expression width = choice("width", {8, 16});
  EXPECT_THAT(Expression::apply("*", {width, width}).options(), ElementsAre(64, 256));
  const Expression other = choice("other", {8, 16});
  EXPECT_THAT(Expression::apply("*", {width, other}).options(), ElementsAre(64, 128, 256));
  EXPECT_THAT(choice("name", {"b", "a", "b"}).options(), ElementsAre("b", "a"));
  EXPECT_THAT(number(5).options(), ElementsAre(5));
}

TEST(Expression, FindsTheRangeOfWhatIsNotMonotone) {
  const Expression x = choice("x", {-3, 0, 2});
  EXPECT_EQ(Expression::apply("*", {x, x}).range(), std::make_pair(Json(0), Json(9)));
  EXPECT_EQ(Expression::apply("-", {number(1), x}).range(), std::make_pair(Json(-1), Json(4)));
  EXPECT_EQ(number(7).range(), std::make_pair(Json(7), Json(7)));
  EXPECT_THAT(error_of([] { choice("name", {"a", "b"}).range(); }), HasSubstr("is not a number"));
}

TEST(Expression, BoundsWhatTakesTooManyCombinationsByIntervals) {
  const Expression many = sum_of_choices(13);
  EXPECT_THAT(error_of([&] { many.options(); }), HasSubstr("4096 combinations"));
  EXPECT_EQ(many.range(), std::make_pair(Json(13), Json(26)));
  const auto range = [&](const std::string& op, const Expression& a, const Expression& b) {
    return Expression::apply(op, {a, b}).range();
  };
  EXPECT_EQ(range("-", number(20), many), std::make_pair(Json(-6), Json(7)));
  EXPECT_EQ(range("*", number(-2), many), std::make_pair(Json(-52), Json(-26)));
  EXPECT_EQ(range("//", many, number(4)), std::make_pair(Json(3), Json(6)));
  EXPECT_EQ(range("min", many, number(15)), std::make_pair(Json(13), Json(15)));
  const auto [low, high] = range("%", many, number(5));
  EXPECT_LE(low, 0);
  EXPECT_GE(high, 4);
}

TEST(Expression, GivesNoBoundsWhereADivisorMayBeZero) {
  const Expression around_zero = Expression::apply("-", {sum_of_choices(13), number(19)});
  EXPECT_THAT(error_of([&] {
                Expression::apply("/", {number(1), around_zero}).range();
              }),
              HasSubstr("may be zero"));
}

TEST(Expression, ComparesFormulasByWhatTheyGive) {
  const Expression w = choice("w", {8, 16});
  const Expression twice = Expression::apply("*", {number(2), w});
  const Expression sum = Expression::apply("+", {w, w});
  EXPECT_TRUE(always_equal(twice, sum));
  EXPECT_FALSE(twice == sum);
  EXPECT_TRUE(always_equal(w, Expression::apply("*", {w, number(1)})));
  EXPECT_FALSE(always_equal(w, choice("v", {8, 16})));
  EXPECT_FALSE(always_equal(w, number(8)));
  EXPECT_TRUE(always_equal(choice("v", {4, 4}), number(4)));
}

TEST(Expression, ComparesWhatTakesTooManyCombinationsByStructure) {
  EXPECT_TRUE(always_equal(sum_of_choices(13), sum_of_choices(13)));
  EXPECT_FALSE(always_equal(sum_of_choices(13), sum_of_choices(14)));
}

TEST(Expression, ReadsBackFromJsonEqual) {
  const Expression w = choice("w", {8, 16});
  const Expression nested = Expression::choice(
      "kind", {number(1), Expression::apply("//", {Expression::apply("*", {w, number(3)}), w})});
  for (const Expression& expression :
       {number(64), number(-0.25), number(true), number("relu"), w, nested}) {
    const Json written = expression;
    EXPECT_EQ(Json::parse(written.dump()).get<Expression>(), expression) << written;
  }
  EXPECT_EQ(Json(w).dump(), R"({"choice":"w","options":[8,16]})");
  EXPECT_EQ(Json(number(64)).dump(), "64");
  EXPECT_EQ(Json(Expression::apply("+", {w, number(1)})).dump(),
            R"({"op":"+","operands":[{"choice":"w","options":[8,16]},1]})");
}

TEST(Expression, RefusesMalformedJson) {
  for (const char* text : {R"({"choice": "w"})", R"({"choice": 3, "options": [1]})",
                           R"({"choice": "w", "options": 8})", R"({"op": "+", "operands": 1})",
                           R"({"op": "+", "operands": [1, 2], "more": 1})", R"({"op": "+"})"}) {
    EXPECT_THAT(error_of([&] { Json::parse(text).get<Expression>(); }),
                HasSubstr("expected an expression like"))
        << text;
  }
  EXPECT_THAT(error_of([] { Json::parse("[1]").get<Expression>(); }), HasSubstr("got [1]"));
  EXPECT_THAT(error_of([] { Json::parse(R"({"size": 1})").get<Expression>(); }),
              HasSubstr("expected a number"));
}

TEST(Expression, LabelsOnlyWhatHasNoLabel) {
  const Expression both = Expression::apply("+", {choice("", {1, 2}), choice("own", {1, 2})});
  EXPECT_EQ(both.labelled("stem/out").to_string(), "(stem/out{1,2} + own{1,2})");
  EXPECT_EQ(number(3).labelled("stem/out"), number(3));
}

TEST(Expression, ComputesSharedOperandsOnce) {
  Expression sum = choice("a", {1, 2});
  for (int i = 0; i < 12; ++i) {
    sum = Expression::apply("++", {sum, sum});  // 2^12 terms, of 12 formulas
  }
  EXPECT_EQ(sum.at({{"a", {{1}}}}).value(), 2 << 12);
  EXPECT_EQ(sum.range(), (std::pair<Json, Json>(1 << 12, 2 << 12)));
  EXPECT_EQ(sum.options(), (std::vector<Json>{1 << 12, 2 << 12}));
  int n_visits = 0;
  sum.labelled("b").visit_choices([&](const auto&, const auto&) { ++n_visits; });
  EXPECT_EQ(n_visits, 1);
}

TEST(Expression, RefusesToGrowWithoutEnd) {
  Expression sum = choice("a", {1, 2});
  const std::string error = error_of([&] {
    for (int i = 0; i < 64; ++i) {  // else 2^64 terms
      sum = Expression::apply("++", {sum, sum});
      sum.to_string();
    }
  });
  EXPECT_EQ(error,
            "the formula '++' would have 32767 terms, more than the 16384 that are computed: nest "
            "fewer formulas or joins of undecided sizes");
  Expression nested = choice("0", {1, 2});
  EXPECT_THAT(error_of([&] {
                for (int i = 1; i < 64; ++i) {
                  nested = Expression::choice(std::to_string(i), {nested, nested});
                }
              }),
              HasSubstr("' would have "));
  EXPECT_EQ(nested.range(), (std::pair<Json, Json>(1, 2)));
}

TEST(Expression, VisitsOuterChoicesBeforeInnerOnesWithTheirOptionsAsText) {
  const Expression outer =
      Expression::choice("outer", {number("none"), choice("inner", {0.5, true})});
  std::vector<std::string> seen;
  outer.visit_choices([&](const std::string& label, const std::vector<std::string>& names) {
    seen.push_back(label);
    seen.insert(seen.end(), names.begin(), names.end());
  });
  EXPECT_THAT(seen, ElementsAre("outer", "none", "inner{0.5,true}", "inner", "0.5", "true"));
}

}  // namespace
}  // namespace retia::ir
