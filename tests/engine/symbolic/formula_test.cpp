#include "retia/engine/symbolic/formula.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/error_of.h"

namespace retia::ir {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Expression kWidth = ValueChoice("width", {10, 18, 30});
const Expression kScale = ValueChoice("scale", {0.25, 0.75});

TEST(Formula, TakesExpressionsParametersAndPlainValues) {
  const Dim depth = ValueChoice("depth", {1, 2});
  const Parameter<double> rate = ValueChoice("rate", {0.5});
  EXPECT_THAT((kWidth * 2).options(), ElementsAre(20, 36, 60));
  EXPECT_THAT((0.5 * kWidth).options(), ElementsAre(5.0, 9.0, 15.0));
  EXPECT_THAT((depth + kWidth).options(), ElementsAre(11, 12, 19, 20, 31, 32));
  EXPECT_THAT((kWidth - depth).options(), ElementsAre(9, 8, 17, 16, 29, 28));
  EXPECT_THAT((depth * rate).options(), ElementsAre(0.5, 1.0));
  EXPECT_THAT((kWidth / 4).options(), ElementsAre(2.5, 4.5, 7.5));
  EXPECT_THAT((kWidth % 4).options(), ElementsAre(2));
  EXPECT_THAT(floor_div(kWidth, depth).options(), ElementsAre(10, 5, 18, 9, 30, 15));
  EXPECT_THAT(min(kWidth, 20).options(), ElementsAre(10, 18, 20));
  EXPECT_THAT(max(12, kWidth).options(), ElementsAre(12, 18, 30));
  const Dim half = depth * 2 + 1;  // sizes with sizes stay sizes
  EXPECT_EQ(half.max(), 5);
}

TEST(Formula, RoundsHalvesToTheEvenNeighbour) {
  const auto all = [](const Expression& e) { return Json(e.options()).dump(); };
  const Expression x = ValueChoice("x", {-2.5, -1.5, -0.4, 0.5, 1.5, 2.5, 2.6});
  EXPECT_EQ(all(round(x)), "[-2,0,2,3]");
  EXPECT_EQ(all(floor(x)), "[-3,-2,-1,0,1,2]");
  EXPECT_EQ(all(ceil(x)), "[-2,-1,0,1,2,3]");
  EXPECT_EQ(all(to_int(x)), "[-2,-1,0,1,2]");
  EXPECT_EQ(all(to_float(kWidth)), "[10.0,18.0,30.0]");
  EXPECT_EQ(all(round(kWidth * kScale)), "[2,8,4,14,22]");  // 2.5, 7.5, 4.5, 13.5, 7.5, 22.5
  EXPECT_EQ(all(to_int(kWidth > 12)), "[0,1]");
  const Dim channels = round(kWidth * kScale);
  EXPECT_EQ(channels.at({{"width", {{2}}}, {"scale", {{1}}}}).value(), 22);
}

TEST(Formula, ComparesNumbersAndEqualsValuesOfOneType) {
  const Expression act = ValueChoice("act", {"relu", "tanh"});
  const auto all = [](const Expression& e) { return Json(e.options()).dump(); };
  EXPECT_EQ(all(kWidth < 18), "[true,false]");
  EXPECT_EQ(all(kWidth <= 18.0), "[true,false]");
  EXPECT_EQ(all(kWidth > 100), "[false]");
  EXPECT_EQ(all(kWidth >= 10), "[true]");
  EXPECT_EQ(all(is_equal(kWidth, 18.0)), "[false,true]");
  EXPECT_EQ(all(is_different(kWidth, 18)), "[true,false]");
  EXPECT_EQ(all(is_equal(act, "tanh")), "[false,true]");
  EXPECT_THAT(error_of([&] { is_equal(act, 1); }), HasSubstr("needs two values of one type"));
  EXPECT_THAT(error_of([&] { return act < "tanh"; }), HasSubstr("< needs two numbers, got act{"));
}

TEST(Formula, EvaluatesOnlyTheBranchOfAConditionThatHolds) {
  const Expression groups = ValueChoice("groups", {0, 2, 5});
  const Expression per_group = condition(is_equal(groups, 0), 1, floor_div(kWidth, groups));
  EXPECT_EQ(per_group.at({{"groups", {{0}}}, {"width", {{2}}}}).value(), 1);
  EXPECT_EQ(per_group.at({{"groups", {{2}}}, {"width", {{2}}}}).value(), 6);
  EXPECT_THAT(per_group.options(), ElementsAre(1, 5, 2, 9, 3, 15, 6));
  EXPECT_THAT(per_group.reached({{"groups", {{0}}}, {"width", {{2}}}}), ElementsAre("groups"));
  EXPECT_THAT(per_group.reached({{"groups", {{1}}}, {"width", {{2}}}}),
              ElementsAre("groups", "width"));
  EXPECT_EQ(per_group.range(), std::make_pair(Json(1), Json(15)));
  EXPECT_EQ(per_group.at({{"groups", {{0}}}}).value(), 1);
  EXPECT_THAT(error_of([&] {
                floor_div(kWidth, groups).at({{"groups", {{0}}}});
              }),
              HasSubstr("division of width{10,18,30} by zero"));
}

TEST(Formula, RefusesOperandsOfOtherTypesBeforeTheyAreDecided) {
  const Expression act = ValueChoice("act", {"relu", "tanh"});
  const Expression flag = ValueChoice("flag", {false, true});
  EXPECT_THAT(error_of([&] { act + kWidth; }), HasSubstr("needs two numbers, got act{relu,tanh}"));
  EXPECT_THAT(error_of([&] { flag * 2; }), HasSubstr("needs two numbers, got flag{false,true}"));
  EXPECT_THAT(error_of([&] { round(act); }), HasSubstr("round needs a number, got act{"));
  EXPECT_THAT(error_of([&] { round(flag); }), HasSubstr("round needs a number"));
  EXPECT_THAT(error_of([&] { condition(kWidth, 1, 2); }), HasSubstr("true or false, got width{"));
  EXPECT_THAT(error_of([&] { condition(flag, kWidth, "wide") + 1; }),
              HasSubstr("needs two numbers, got if(flag{false,true}, width{10,18,30}, wide)"));
  EXPECT_THAT(error_of([&] { kWidth % 0; }), HasSubstr("division of width{10,18,30} by zero"));
  EXPECT_THAT(error_of([] { round(Parameter<double>(1e30)); }), HasSubstr("64 bits"));
}

TEST(Formula, CountsASharedLabelOnceAndRefusesUnlikeOnes) {
  EXPECT_EQ((kWidth + kWidth * kScale).choices(),
            (std::map<std::string, int64_t>{{"scale", 2}, {"width", 3}}));
  EXPECT_THAT((kWidth + kWidth).options(), ElementsAre(20, 36, 60));
  const Expression other = kWidth + ValueChoice("width", {1, 2});
  EXPECT_THAT(error_of([&] { other.options(); }), HasSubstr("'width' has 3 options in one place"));
}

TEST(Formula, BoundsWhatTakesTooManyCombinationsByIntervals) {
  Expression many(Json(0));
  for (int64_t i = 0; i < 13; ++i) {
    many = many + ValueChoice(std::string("c").append(std::to_string(i)), {1, 2});
  }
  EXPECT_EQ(round(many * 0.5).range(), std::make_pair(Json(6), Json(13)));
  EXPECT_EQ(ceil(many / 4).range(), std::make_pair(Json(4), Json(7)));
  EXPECT_EQ(condition(many > 20, many, 5).range(), std::make_pair(Json(5), Json(26)));
  EXPECT_THAT(error_of([&] { (many > 20).range(); }), HasSubstr("is not a number"));
}

TEST(Formula, ReadsBackFromJsonEqualAndPrints) {
  const Expression formula =
      condition(kWidth >= 18, min(round(kWidth * kScale), 16), to_int(kWidth / 2));
  EXPECT_EQ(Json::parse(Json(formula).dump()).get<Expression>(), formula);
  EXPECT_EQ(formula.to_string(),
            "if((width{10,18,30} >= 18), min(round((width{10,18,30} * scale{0.25,0.75})), 16), "
            "int((width{10,18,30} / 2)))");
  EXPECT_THAT(
      error_of([] { Json::parse(R"({"op": "if", "operands": [true, 1]})").get<Expression>(); }),
      HasSubstr("if needs three operands, got 2"));
  EXPECT_THAT(
      error_of([] { Json::parse(R"({"op": "round", "operands": ["a"]})").get<Expression>(); }),
      HasSubstr("round needs a number, got a"));
}

TEST(Formula, OffersEveryIntegerOfARange) {
  EXPECT_THAT(between("depth", 0, 3).options(), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(between(2, 2).labelled("s/depth").to_string(), "s/depth{2}");
  EXPECT_THAT(error_of([] { between("depth", 3, 2); }), HasSubstr("'depth': expected a range"));
}

}  // namespace
}  // namespace retia::ir
