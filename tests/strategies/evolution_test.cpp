#include "retia/strategies/evolution.h"

#include <gmock/gmock.h>

#include "retia/tests/error_of.h"
#include "retia/tests/strategies/searches.h"

namespace retia {
namespace {

using testing::ElementsAre;

Domain chain() { return chain_of({3, 3, 3, 3, 3, 3}); }

std::vector<double> rewards(const EvolutionStrategy& strategy) {
  std::vector<double> found;
  for (const auto& member : strategy.population()) {
    found.push_back(member.reward);
  }
  return found;
}

/// Tells the outcomes of as many proposals.
void tell(EvolutionStrategy& strategy, const std::vector<std::optional<double>>& outcomes) {
  for (const std::optional<double>& reward : outcomes) {
    const auto proposal = std::get<Proposal>(strategy.ask());
    strategy.tell(proposal, reward ? success({*reward}) : Outcome{TrialStatus::Failed, {}});
  }
}

TEST(Evolution, LetsTheOldestDieAlsoWhereItIsTheBest) {
  EvolutionStrategy strategy(chain(), {.population = 3, .sample = 3}, 1);
  tell(strategy, {9, 1, 2, 3});
  EXPECT_THAT(rewards(strategy), ElementsAre(1, 2, 3));
}

TEST(Evolution, ReplacesFoundersThatFailOrCountsThemAsTheWorst) {
  EvolutionStrategy ignoring(chain(), {.population = 3, .sample = 3}, 1);
  tell(ignoring, {1, std::nullopt, 2, std::nullopt, 3});
  EXPECT_THAT(rewards(ignoring), ElementsAre(1, 2, 3));
  EvolutionStrategy counting(chain(),
                             {.population = 3, .sample = 3, .on_failure = OnFailure::Worst}, 1);
  tell(counting, {1, std::nullopt, 2});
  EXPECT_THAT(rewards(counting), ElementsAre(1, -INFINITY, 2));
  EXPECT_EQ(counting.state().at("population").at(1).at("reward"), Json());
}

TEST(Evolution, FoundsAWholePopulationBeforeItBreedsWhateverRunsAtOnce) {
  EvolutionStrategy strategy(chain(), {.population = 5, .sample = 2}, 1);
  std::vector<Proposal> founders;
  for (int i = 0; i < 5; ++i) {
    founders.push_back(std::get<Proposal>(strategy.ask()));
  }
  EXPECT_TRUE(std::holds_alternative<Wait>(strategy.ask()));
  strategy.tell(founders[0], success({1}));
  EXPECT_TRUE(std::holds_alternative<Proposal>(strategy.ask()));
}

TEST(Evolution, BreedsFromTheBestOfTheSample) {
  EvolutionStrategy strategy(chain(), {.population = 4, .sample = 4, .mutation_probability = 0.2},
                             2);
  std::vector<Proposal> founders;
  for (int i = 0; i < 4; ++i) {
    founders.push_back(std::get<Proposal>(strategy.ask()));
    strategy.tell(founders.back(), success({i == 1 ? 10.0 : 0.0}));
  }
  const auto n_changed = [&](const Architecture& child, const Architecture& parent) {
    int n = 0;
    for (const auto& [label, decision] : parent) {
      n += child.at(label) == decision ? 0 : 1;
    }
    return n;
  };
  // While the best lives every child is its; two decisions of six change on average at most.
  for (int i = 0; i < 2; ++i) {
    const auto child = std::get<Proposal>(strategy.ask());
    const int n = n_changed(child.architecture, founders[1].architecture);
    EXPECT_GE(n, 1);
    EXPECT_LE(n, 4);
  }
}

TEST(Evolution, CrossesTwoParentsByTakingEachDecisionFromOneOfThem) {
  const Domain domain = chain();
  Random random(1);
  Architecture a, b;
  for (const Mutable& choice : domain.mutables()) {
    a[choice.label].chosen = {0};
    b[choice.label].chosen = {1};
  }
  int from_a = 0;
  for (int i = 0; i < 1000; ++i) {
    for (const auto& [label, decision] : domain.crossed(a, b, random)) {
      ASSERT_LE(decision.chosen.front(), 1);
      from_a += decision.chosen.front() == 0 ? 1 : 0;
    }
  }
  EXPECT_NEAR(from_a, 3000, 5 * std::sqrt(6000 / 4.0));
  EvolutionStrategy strategy(domain, {.population = 10, .sample = 3, .crossover = true}, 1);
  EXPECT_EQ(n_distinct(search(strategy, planted_outcome, 100)), 100u);
}

TEST(Evolution, DrawsMutatedDecisionsAnewWithTheGivenProbability) {
  const Domain domain = chain();
  Random random(3);
  const Architecture parent = domain.sample(random);
  int n_changed = 0;
  for (int i = 0; i < 2000; ++i) {
    for (const auto& [label, decision] : domain.mutated(parent, 0.3, random)) {
      n_changed += decision == parent.at(label) ? 0 : 1;
    }
  }
  EXPECT_NEAR(n_changed, 12000 * 0.2, 5 * std::sqrt(12000 * 0.2 * 0.8));  // 2/3 of the redrawn
}

TEST(Evolution, MayProposeAnArchitectureAgainOnRequest) {
  EvolutionStrategy strategy(chain_of({2, 2}),
                             {.population = 4, .sample = 2, .duplicates = Duplicates::Allow}, 1);
  const auto tried = search(strategy, planted_outcome, 100);
  EXPECT_EQ(tried.size(), 100u);
  EXPECT_LE(n_distinct(tried), 4u);
}

TEST(Evolution, RefusesOptionsOutOfRange) {
  const auto error = [](const EvolutionOptions& options) {
    return error_of([&] { EvolutionStrategy(chain(), options, 1); });
  };
  EXPECT_EQ(error({.population = 0}), "strategy 'evolution'.population must be at least 1, got 0");
  EXPECT_EQ(error({.population = 10, .sample = 11}),
            "strategy 'evolution': sample must be at most population, got 11 and 10");
  EXPECT_EQ(error({.mutation_probability = 2}),
            "strategy 'evolution'.mutation_probability must be at most 1, got 2.0");
}

}  // namespace
}  // namespace retia
