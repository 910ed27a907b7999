#include "retia/strategies/nsga2.h"

#include <gmock/gmock.h>

#include "retia/tests/strategies/searches.h"

namespace retia {
namespace {

/// How many decisions are for candidate 2, and how many for candidate 0: one costs the other.
Outcome traded(const Proposal& proposal) {
  double twos = 0, zeros = 0;
  for (const auto& [label, decision] : proposal.architecture) {
    twos += decision.chosen.front() == 2 ? 1 : 0;
    zeros += decision.chosen.front() == 0 ? 1 : 0;
  }
  return success({twos, zeros});
}

/// Points (k, 8 - k) of the true front that were found.
size_t n_on_front(Strategy& strategy, size_t n_trials) {
  std::set<double> found;
  for (const Proposal& proposal : search(strategy, traded, n_trials)) {
    const Objectives values = traded(proposal).objectives;
    if (values[0] + values[1] == 8) {
      found.insert(values[0]);
    }
  }
  return found.size();
}

// 3^8 = 6,561 architectures; at random 300 find two or three of the nine points.
TEST(Nsga2, FindsTheWholeFrontOfTwoObjectives) {
  size_t by_nsga2 = 0, by_chance = 0;
  constexpr int kSeeds = 10;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const Domain domain(chain_of(std::vector<int64_t>(8, 3)));
    Nsga2Strategy strategy(domain, {.population = 30}, seed);
    by_nsga2 += n_on_front(strategy, 450);
    by_chance +=
        n_on_front(*standard_strategies().make("random", Json::object(), domain, seed), 450);
  }
  EXPECT_GE(by_nsga2, 7 * kSeeds);
  EXPECT_LE(by_chance, 6 * kSeeds);
}

TEST(Nsga2, WaitsForAGenerationToBeTold) {
  Nsga2Strategy strategy(chain_of({3, 3, 3}), {.population = 3}, 1);
  std::vector<Proposal> generation;
  for (int i = 0; i < 3; ++i) {
    generation.push_back(std::get<Proposal>(strategy.ask()));
  }
  for (const Proposal& proposal : generation) {
    EXPECT_TRUE(std::holds_alternative<Wait>(strategy.ask()));
    strategy.tell(proposal, traded(proposal));
  }
  EXPECT_TRUE(std::holds_alternative<Proposal>(strategy.ask()));
}

TEST(Nsga2, RefusesAPopulationOfOne) {
  EXPECT_EQ(error_of([] { Nsga2Strategy(chain_of({3}), {.population = 1}, 1); }),
            "strategy 'nsga2'.population must be at least 2, got 1");
}

}  // namespace
}  // namespace retia
