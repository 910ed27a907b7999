#include "retia/engine/io/option.h"

#include <gmock/gmock.h>

#include "retia/engine/io/options.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct DepthOptions {
  int64_t depth = 3;
  double width = 0.5;
};
std::vector<Option> declared(DepthOptions& o) {
  return {option("depth", o.depth, Range{1, 2e6}, "layers to count"),
          option("width", o.width, Range{0}, "width")};
}

struct CountOptions {
  bool quiet = false;
  std::string order = "wide";
  DepthOptions inner = {};
};
std::vector<Option> declared(CountOptions& o) {
  return {option("quiet", o.quiet, "no progress"),
          option("order", o.order, Names{{"wide", "deep"}}, "which nodes come first"),
          option("inner", o.inner, "sizes")};
}

struct PlainOptions {
  int64_t depth = 4;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PlainOptions, depth)

std::string refusal(const json& given) {
  return error_of([&] { options_from_json<CountOptions>(given, "count"); });
}

TEST(Option, ConvertsADeclaredStructToJsonAndBack) {
  const json defaults = {
      {"quiet", false}, {"order", "wide"}, {"inner", {{"depth", 3}, {"width", 0.5}}}};
  EXPECT_EQ(json(CountOptions{}), defaults);
  const auto read =
      options_from_json<CountOptions>({{"order", "deep"}, {"inner", {{"depth", 7}}}}, "count");
  EXPECT_FALSE(read.quiet);
  EXPECT_EQ(read.order, "deep");
  EXPECT_EQ(read.inner.depth, 7);
  EXPECT_EQ(read.inner.width, 0.5);
}

TEST(Option, RefusesWhatIsOutOfRangeOrNotAmongTheNames) {
  EXPECT_THAT(refusal({{"inner", {{"depth", 0}}}}),
              HasSubstr("count.inner.depth must be at least 1, got 0"));
  EXPECT_THAT(refusal({{"inner", {{"depth", 2000001}}}}),
              HasSubstr("count.inner.depth must be at most 2000000, got 2000001"));
  EXPECT_THAT(refusal({{"inner", {{"width", -0.5}}}}), HasSubstr("must be at least 0, got -0.5"));
  EXPECT_THAT(refusal({{"order", "weep"}}), HasSubstr("unknown order 'weep'; did you mean '"));
  EXPECT_THAT(refusal({{"ordr", "wide"}}), HasSubstr("did you mean 'order'?"));
  EXPECT_THAT(refusal({{"inner", {{"depth", 1.5}}}}), HasSubstr("expected an integer"));
  EXPECT_EQ(refusal({{"inner", {{"depth", 2000000}}}}), "(no error)");
}

TEST(Option, DescribesLimitsAndDefaults) {
  const std::vector<Option> options = options_of<CountOptions>();
  ASSERT_EQ(options.size(), 3u);
  EXPECT_EQ(limits_of(options[0]), "");
  EXPECT_EQ(limits_of(options[1]), "(wide, deep; default wide)");
  ASSERT_EQ(options[2].inner.size(), 2u);
  EXPECT_EQ(limits_of(options[2].inner[0]), "(1 to 2000000; default 3)");
  EXPECT_EQ(limits_of(options[2].inner[1]), "(from 0; default 0.5)");
}

TEST(Option, ListsNamesAndDefaultsOfAPlainStruct) {
  const std::vector<Option> options = options_of<PlainOptions>();
  ASSERT_EQ(options.size(), 1u);
  EXPECT_EQ(options[0].key, "depth");
  EXPECT_EQ(options[0].value, 4);
  EXPECT_EQ(options[0].meaning, "");
}

}  // namespace
}  // namespace retia
