#include "retia/strategies/tpe.h"

#include <gmock/gmock.h>

#include "retia/tests/strategies/searches.h"

namespace retia {
namespace {

using testing::DoubleEq;

TEST(Tpe, CountsDensitiesAsByHand) {
  const Factors factors(Domain(chain_of({3, 2})).mutables());
  CategoryDensity density(factors, 1);
  EXPECT_DOUBLE_EQ(density.at(0, 2), 1.0 / 3);
  density.add({2, 0});
  density.add({2, 1});
  density.add({0, 1});
  density.add({2, std::nullopt});  // reaches the first only
  EXPECT_DOUBLE_EQ(density.at(0, 0), 2.0 / 7);
  EXPECT_DOUBLE_EQ(density.at(0, 1), 1.0 / 7);
  EXPECT_DOUBLE_EQ(density.at(0, 2), 4.0 / 7);
  EXPECT_DOUBLE_EQ(density.at(1, 0), 2.0 / 5);
  EXPECT_DOUBLE_EQ(density.at(1, 1), 3.0 / 5);
  CategoryDensity half(factors, 0.5);
  half.add({2, 0});
  EXPECT_DOUBLE_EQ(half.at(0, 2), 1.5 / 2.5);
}

TEST(Tpe, DrawsFromItsDensity) {
  CategoryDensity density(Factors(Domain(chain_of({3})).mutables()), 1);
  density.add({1}, 7);  // 1/10, 8/10, 1/10
  Random random(1);
  int n = 0;
  for (int i = 0; i < 5000; ++i) {
    n += density.sample(random)[0] == 1 ? 1 : 0;
  }
  EXPECT_NEAR(n, 4000, 5 * std::sqrt(5000 * 0.8 * 0.2));
}

// One decision of four, all known but one. After 16 observations one is good (ceil(0.25 √16)), so
// l = (1, 1, 1, 2) / 5 and, of 15 others of which 5 are of each of the first three,
// g = (6, 6, 6, 1) / 19: the ratio is largest for the last, by far.
TEST(Tpe, ProposesTheLargestRatioOfGoodToOther) {
  TpeStrategy strategy(Domain(chain_of({4})),
                       {.startup = 16, .candidates = 64, .duplicates = Duplicates::Allow}, 1);
  for (int i = 0; i < 16; ++i) {
    const auto proposal = std::get<Proposal>(strategy.ask());
    const Proposal told{.id = proposal.id, .architecture = {{"c0", {{i < 15 ? i % 3 : 3}}}}};
    strategy.tell(told, success({i < 15 ? 0.0 : 1.0}));
  }
  EXPECT_EQ(std::get<Proposal>(strategy.ask()).architecture, (Architecture{{"c0", {{3}}}}));
}

TEST(Tpe, LearnsFromFailuresWhereTheyCountAsTheWorst) {
  const auto counts = [](OnFailure on_failure) {
    TpeStrategy strategy(Domain(chain_of({4})), {.on_failure = on_failure}, 1);
    const auto proposal = std::get<Proposal>(strategy.ask());
    strategy.tell(proposal, {TrialStatus::Failed, {}});
    return strategy.state().at("n_observed");
  };
  EXPECT_EQ(counts(OnFailure::Ignore), 0);
  EXPECT_EQ(counts(OnFailure::Worst), 1);
}

TEST(Tpe, RefusesNoPrior) {
  EXPECT_EQ(error_of([] { TpeStrategy(chain_of({3}), {.prior = 0}, 1); }),
            "strategy 'tpe'.prior must be above 0, got 0.0");
}

}  // namespace
}  // namespace retia
