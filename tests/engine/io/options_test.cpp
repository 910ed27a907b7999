#include "retia/engine/io/options.h"

#include <c10/util/Exception.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <vector>

using nlohmann::json;

namespace retia {

enum class Order { First, Second };
NLOHMANN_JSON_SERIALIZE_ENUM(Order, {{Order::First, "first"}, {Order::Second, "second"}})

/// Stands for a size that may be an expression.
struct Width {
  int64_t value = 0;
  json expression = nullptr;
};
void to_json(json& to, const Width& width) {
  to = width.expression.is_null() ? json(width.value) : width.expression;
}
void from_json(const json& from, Width& width) {
  if (from.is_object()) {
    width.expression = from;
  } else {
    from.get_to(width.value);
  }
}

struct InnerOptions {
  double momentum = 0.9;
  bool nesterov = false;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(InnerOptions, momentum, nesterov)

struct OuterOptions {
  int64_t order = 1;
  int32_t narrow = 0;
  size_t count = 3;
  double lr = 0.025;
  bool quiet = false;
  std::string name = "sgd";
  Order kind = Order::First;
  Width width = {.value = 16};
  std::array<double, 2> betas = {0.5, 0.999};
  std::vector<int64_t> milestones = {};
  std::map<std::string, double> any = {};
  InnerOptions optimizer = {};
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(OuterOptions, order, narrow, count, lr, quiet, name,
                                                kind, width, betas, milestones, any, optimizer)

namespace {

OuterOptions options_of(const json& given) {
  return options_from_json<OuterOptions>(given, "algorithm");
}

std::string refusal_of(const json& given) {
  try {
    options_of(given);
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  return "(no error)";
}

TEST(Options, KeepDefaultsOfAbsentKeys) {
  const OuterOptions options = options_of({{"order", 2}, {"optimizer", {{"nesterov", true}}}});
  EXPECT_EQ(options.order, 2);
  EXPECT_EQ(options.lr, 0.025);
  EXPECT_EQ(options.optimizer.momentum, 0.9);
  EXPECT_TRUE(options.optimizer.nesterov);
}

TEST(Options, TakeAnIntegerForANumber) { EXPECT_EQ(options_of({{"lr", 1}}).lr, 1.0); }

TEST(Options, TakeASymbolicExpressionForAScalar) {
  const json expression = {{"choice", "width"}, {"values", {8, 16}}};
  EXPECT_EQ(options_of({{"width", expression}}).width.expression, expression);
  EXPECT_EQ(options_of({{"width", 8}}).width.value, 8);
}

TEST(Options, LeaveASymbolicExpressionToFieldsThatKnowNone) {
  EXPECT_EQ(refusal_of({{"order", {{"choice", "a"}}}}),
            "algorithm: cannot be read: type must be number, but is object");
}

TEST(Options, NameTheNearestKnownKey) {
  EXPECT_EQ(refusal_of({{"ordr", 2}}), "algorithm: unknown key 'ordr'; did you mean 'order'?");
  EXPECT_EQ(refusal_of({{"optimizer", {{"momntum", 1}}}}),
            "algorithm.optimizer: unknown key 'momntum'; did you mean 'momentum'?");
}

TEST(Options, RefuseAnotherType) {
  EXPECT_EQ(refusal_of({{"order", 1.5}}),
            "algorithm.order: expected an integer (the default is 1), but got 1.5");
  EXPECT_EQ(refusal_of({{"order", "2"}}),
            "algorithm.order: expected an integer (the default is 1), but got \"2\"");
  EXPECT_EQ(refusal_of({{"order", true}}),
            "algorithm.order: expected an integer (the default is 1), but got true");
  EXPECT_EQ(refusal_of({{"lr", "high"}}),
            "algorithm.lr: expected a number (the default is 0.025), but got \"high\"");
  EXPECT_EQ(refusal_of({{"quiet", 1}}),
            "algorithm.quiet: expected true or false (the default is false), but got 1");
  EXPECT_EQ(refusal_of({{"name", 3}}),
            "algorithm.name: expected a string (the default is \"sgd\"), but got 3");
  EXPECT_EQ(refusal_of({{"milestones", 3}}),
            "algorithm.milestones: expected a list (the default is []), but got 3");
  EXPECT_EQ(refusal_of({{"any", 3}}),
            "algorithm.any: expected an object (the default is {}), but got 3");
  EXPECT_EQ(refusal_of({{"count", -1}}),
            "algorithm.count: expected an integer from 0 (the default is 3), but got -1");
}

TEST(Options, RefuseWhatIsNoObject) {
  EXPECT_EQ(refusal_of(json::array({1})), "algorithm: expected an object of options, but got [1]");
  EXPECT_EQ(refusal_of(nullptr), "algorithm: expected an object of options, but got null");
}

TEST(Options, RefuseAValueThatReadingWouldChange) {
  EXPECT_EQ(
      refusal_of({{"narrow", 5000000000}}),
      "algorithm.narrow: expected an integer within the range of its field, but got 5000000000");
  EXPECT_EQ(refusal_of({{"order", 18446744073709551615u}}),
            "algorithm.order: expected an integer within the range of its field, but got "
            "18446744073709551615");
  EXPECT_EQ(
      refusal_of({{"milestones", {1, 2.5}}}),
      "algorithm.milestones.1: expected an integer within the range of its field, but got 2.5");
  EXPECT_EQ(refusal_of({{"betas", {0.1, 0.2, 0.3}}}),
            "algorithm.betas: expected a list of 2 values, but got 3: [0.1,0.2,0.3]");
  EXPECT_EQ(refusal_of({{"kind", "third"}}),
            "algorithm.kind: \"third\" is none of the values this option takes (\"first\" is one)");
}

TEST(Options, NameTheSectionWhenAListIsTooShort) {
  EXPECT_EQ(refusal_of({{"betas", {0.1}}}),
            "algorithm: cannot be read: array index 1 is out of range");
}

TEST(Options, TakeAnyKeyOfAMap) { EXPECT_EQ(options_of({{"any", {{"x", 2.0}}}}).any.at("x"), 2.0); }

std::string set_error(json config, const char* assignment) {
  try {
    set_by_path(config, assignment);
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  return "(no error)";
}

TEST(SetByPath, ReadsValuesAsJsonElseAsStrings) {
  json config = {{"space", {{"channels", 16}}}};
  set_by_path(config, "space.channels=8");
  set_by_path(config, "algorithm.kind=second");
  set_by_path(config, "data.betas=[0.5,1]");
  set_by_path(config, "run.name=a=b");
  set_by_path(config, "run.note=");
  EXPECT_EQ(config, json::parse(R"({"space": {"channels": 8}, "algorithm": {"kind": "second"},
      "data": {"betas": [0.5, 1]}, "run": {"name": "a=b", "note": ""}})"));
}

TEST(SetByPath, RefusesWhatIsNoAssignment) {
  EXPECT_EQ(set_error({}, "space.channels"),
            "--set space.channels: expected section.key=value, e.g. --set space.channels=16");
  EXPECT_EQ(set_error({}, "space..channels=1"),
            "--set space..channels=1: expected section.key=value, but a name in the key is empty");
  EXPECT_EQ(set_error({}, "=1"),
            "--set =1: expected section.key=value, but a name in the key is empty");
  EXPECT_EQ(set_error({{"seed", 1}}, "seed.a.b=1"),
            "--set seed.a.b=1: 'seed' is 1, which holds no keys");
}

TEST(Merged, OverlaysObjectsKeyByKeyAndTheRestAsAWhole) {
  const json defaults = {
      {"a", {{"x", 1}, {"y", 2}}}, {"list", {1, 2}}, {"width", {{"choice", "w"}}}};
  const json over = {{"a", {{"y", 3}}}, {"list", {9}}, {"width", {{"op", "add"}}}, {"new", 1}};
  EXPECT_EQ(merged(defaults, over), json::parse(R"({"a": {"x": 1, "y": 3}, "list": [9],
      "width": {"op": "add"}, "new": 1})"));
}

}  // namespace
}  // namespace retia
