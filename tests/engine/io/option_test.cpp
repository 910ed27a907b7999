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

enum class NodeOrder { Wide, Deep };
NLOHMANN_JSON_SERIALIZE_ENUM(NodeOrder, {{NodeOrder::Wide, "wide"}, {NodeOrder::Deep, "deep"}})

struct OpenOptions {
  double decay = 0, rate = 1, share = 0.5;
  std::vector<int64_t> sizes = {1, 2};
  NodeOrder order = NodeOrder::Deep;
};
std::vector<Option> declared(OpenOptions& o) {
  return {option("decay", o.decay, Range::from_to_below(0, 1), "decay"),
          option("rate", o.rate, Range::above(0), "rate"),
          option("share", o.share, Range::between(0, 1), "share"),
          option("sizes", o.sizes, Range{1, 9}, "sizes"), option("order", o.order, "order")};
}

struct MoreOptions : OpenOptions {
  int64_t depth = 3;
};
std::vector<Option> declared(MoreOptions& o) {
  return joined({option("depth", o.depth, Range{1}, "layers")},
                declared(static_cast<OpenOptions&>(o)));
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

TEST(Option, RefusesAnOpenEndAndANumberOfAList) {
  const auto refusal_of = [](const json& given) {
    return error_of([&] { options_from_json<MoreOptions>(given, "more"); });
  };
  EXPECT_EQ(refusal_of({{"decay", 0}, {"rate", 1e-9}, {"share", 0.9}, {"sizes", {1, 9}}}),
            "(no error)");
  EXPECT_THAT(refusal_of({{"decay", 1}}), HasSubstr("more.decay must be below 1, got 1"));
  EXPECT_THAT(refusal_of({{"rate", 0}}), HasSubstr("more.rate must be above 0, got 0"));
  EXPECT_THAT(refusal_of({{"share", 0}}), HasSubstr("more.share must be above 0, got 0"));
  EXPECT_THAT(refusal_of({{"sizes", {1, 0}}}), HasSubstr("more.sizes.1 must be at least 1, got 0"));
  EXPECT_THAT(refusal_of({{"order", "dep"}}), HasSubstr("did you mean 'deep'?"));
  EXPECT_THAT(refusal_of({{"depth", 0}}), HasSubstr("more.depth must be at least 1, got 0"));
}

TEST(Option, ChecksTheFieldsOfAStruct) {
  EXPECT_EQ(error_of([] { check_declared(OpenOptions{.sizes = {}}, "open"); }), "(no error)");
  EXPECT_EQ(error_of([] { check_declared(OpenOptions{.decay = 1}, "open"); }),
            "open.decay must be below 1, got 1.0");
}

TEST(Option, DescribesOpenEndsListsAndEnumerations) {
  const std::vector<Option> options = options_of<OpenOptions>();
  ASSERT_EQ(options.size(), 5u);
  EXPECT_EQ(limits_of(options[0]), "(0 to below 1; default 0.0)");
  EXPECT_EQ(limits_of(options[1]), "(above 0; default 1.0)");
  EXPECT_EQ(limits_of(options[2]), "(above 0 and below 1; default 0.5)");
  EXPECT_EQ(limits_of(options[3]), "(1 to 9; default [1,2])");
  EXPECT_EQ(limits_of(options[4]), "(wide, deep; default deep)");
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
