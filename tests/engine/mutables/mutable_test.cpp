#include "retia/engine/mutables/mutable.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

const Mutable kOp{.label = "op", .names = {"conv", "pool", "skip"}};
const Mutable kEdges{.label = "edges",
                     .kind = MutableKind::InputChoice,
                     .names = {"a", "b", "c"},
                     .n_chosen = 2,
                     .fed_by = {"", "", ""}};
const Mutable kAny{.label = "any",
                   .kind = MutableKind::InputChoice,
                   .names = {"a", "b"},
                   .n_chosen = std::nullopt,
                   .fed_by = {"", ""}};

std::string error_of_decision(const Mutable& choice, std::vector<int64_t> chosen, Purpose purpose) {
  return error_of([&] { check_decision({std::move(chosen)}, choice, purpose); });
}

TEST(Mutable, KeepsExactlyAsManyAsItChoosesAndSearchesWithMore) {
  EXPECT_EQ(error_of_decision(kEdges, {0, 2}, Purpose::Final), "(no error)");
  EXPECT_EQ(error_of_decision(kEdges, {0, 1, 2}, Purpose::Search), "(no error)");
  EXPECT_EQ(error_of_decision(kEdges, {0, 1, 2}, Purpose::Final),
            "input choice 'edges': expected 2 of 3 candidates, got 3");
  EXPECT_EQ(error_of_decision(kEdges, {1}, Purpose::Search),
            "input choice 'edges': expected at least 2 of 3 candidates, got 1");
  EXPECT_EQ(error_of_decision(kAny, {}, Purpose::Final), "(no error)");
  EXPECT_EQ(error_of_decision(kAny, {0, 1}, Purpose::Final), "(no error)");
}

TEST(Mutable, WantsDistinctIndicesInOrderAndInRange) {
  for (const Purpose purpose : {Purpose::Search, Purpose::Final}) {
    EXPECT_EQ(error_of_decision(kOp, {3}, purpose),
              "layer choice 'op': index 3 is outside its 3 candidates");
    EXPECT_THAT(error_of_decision(kOp, {-1}, purpose), HasSubstr("index -1 is outside"));
    EXPECT_THAT(error_of_decision(kEdges, {1, 0}, purpose), HasSubstr("got 0 after 1"));
    EXPECT_THAT(error_of_decision(kEdges, {1, 1}, purpose), HasSubstr("got 1 after 1"));
  }
}

TEST(Mutable, ChecksAWholeArchitecture) {
  const std::vector<Mutable> space = {kOp, kEdges};
  const auto error = [&](const Architecture& architecture) {
    return error_of([&] { check_architecture(architecture, space, Purpose::Final); });
  };
  EXPECT_EQ(error({{"op", {{0}}}, {"edges", {{0, 1}}}}), "(no error)");
  EXPECT_EQ(error({{"op", {{0}}}}), "the architecture decides nothing for input choice 'edges'");
  EXPECT_THAT(error({{"op", {{0}}}, {"edge", {{0, 1}}}, {"edges", {{0, 1}}}}),
              HasSubstr("decides 'edge', which this space does not have; did you mean 'edges'?"));
  EXPECT_THAT(error({{"op", {{0, 1}}}, {"edges", {{0, 1}}}}), HasSubstr("'op': expected 1"));
}

TEST(Mutable, IsOnePerLabel) {
  std::vector<Mutable> all;
  add_mutable(all, kOp);
  Mutable elsewhere = kOp;
  elsewhere.scope = "cell1";
  elsewhere.zeros = {0};
  add_mutable(all, elsewhere);
  ASSERT_EQ(all.size(), 1);
  EXPECT_EQ(all.front(), kOp);
}

TEST(Mutable, RefusesUnlikeOnesOfOneLabel) {
  const auto error = [](Mutable other) {
    std::vector<Mutable> all = {kEdges};
    other.label = "edges";
    return error_of([&] { add_mutable(all, other); });
  };
  EXPECT_THAT(error(kOp), HasSubstr("'edges' is a input choice and a layer choice"));
  EXPECT_THAT(error(kAny), HasSubstr("candidates [a, b, c] in one place and [a, b] in another"));
  Mutable more = kEdges;
  more.n_chosen = 1;
  EXPECT_THAT(error(more), HasSubstr("chooses a different number of candidates"));
  more.n_chosen = std::nullopt;
  EXPECT_THAT(error(more), HasSubstr("chooses a different number of candidates"));
}

TEST(Mutable, LetsAValueReadWhatAChoiceOfTheSameNamesDecided) {
  const Mutable input{
      .label = "l", .kind = MutableKind::InputChoice, .names = {"0", "1"}, .fed_by = {"", ""}};
  const Mutable value{.label = "l", .kind = MutableKind::ValueChoice, .names = {"0", "1"}};
  std::vector<Mutable> all = {input};
  add_mutable(all, value);
  EXPECT_EQ(all, std::vector<Mutable>{input});
  Mutable other = value;
  other.names = {"0", "2"};
  EXPECT_THAT(error_of([&] { add_mutable(all, other); }),
              HasSubstr("'l' is a input choice and a value choice"));
  all = {value};
  EXPECT_THAT(error_of([&] { add_mutable(all, input); }),
              HasSubstr("'l' is a value choice and a input choice"));
}

TEST(Mutable, RefusesLabelsThatNoParameterCouldBear) {
  std::vector<Mutable> all;
  Mutable unlabelled = kOp;
  unlabelled.label = "";
  EXPECT_THAT(error_of([&] { add_mutable(all, unlabelled); }), HasSubstr("empty label"));
  unlabelled.label = "a.b";
  EXPECT_THAT(error_of([&] { add_mutable(all, unlabelled); }), HasSubstr("'a.b' has a dot"));
}

TEST(Mutable, HasAScopeWithoutTheNameOfTheChoice) {
  EXPECT_EQ(scope_of("net/cell/op"), "net/cell");
  EXPECT_EQ(scope_of("op"), "");
}

TEST(Mutable, TakesTheFirstCandidatesForWhatIsNotDecided) {
  EXPECT_EQ(first_candidates(kEdges), (Decision{{0, 1}}));
  EXPECT_EQ(first_candidates(kAny), Decision{});
  EXPECT_EQ(completed({{"op", {{2}}}}, {kOp, kEdges, kAny}),
            (Architecture{{"op", {{2}}}, {"edges", {{0, 1}}}, {"any", {}}}));
}

}  // namespace
}  // namespace retia
