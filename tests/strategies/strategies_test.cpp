#include "retia/strategies/strategies.h"

#include <gmock/gmock.h>

#include <numeric>

#include "retia/tests/error_of.h"
#include "retia/tests/strategies/searches.h"
#include "retia/tests/strategies/spaces.h"

namespace retia {
namespace {

/// Options with which each strategy shows what it does in a small space.
Json options_of(const std::string& name) {
  if (name == "evolution") {
    return {{"population", 20}, {"sample", 8}, {"mutation_probability", 0.15}};
  }
  if (name == "spos_evolution") {
    return {{"population", 20}, {"crossovers", 10}, {"mutations", 10}, {"rounds", 1000}};
  }
  return name == "nsga2" ? Json{{"population", 20}} : Json::object();
}

std::unique_ptr<Strategy> make(const std::string& name, const Domain& domain, uint64_t seed) {
  return standard_strategies().make(name, options_of(name), domain, seed);
}

class EveryStrategy : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Strategy> make(const Domain& domain, uint64_t seed) const {
    return retia::make(GetParam(), domain, seed);
  }
  /// Trains some architectures again, for longer.
  bool repeats() const { return GetParam() == "asha"; }
};

TEST_P(EveryStrategy, FindsTheOptimumOfSmallSpacesAndStops) {
  const ir::Graph space = chain_of({2, 3, 4});
  const auto is_admitted = [](const Architecture& a) { return a.at("c2").chosen.front() % 2 == 0; };
  const std::vector<std::pair<Domain, size_t>> cases = {{space, 24}, {{space, is_admitted}, 12}};
  for (const auto& [domain, size] : cases) {
    for (const size_t concurrency : {1, 3}) {
      const auto strategy = make(domain, 1);
      double best = 0;
      const auto tried = search(
          *strategy,
          [&](const Proposal& proposal) {
            best = std::max(best, planted(proposal.architecture));
            return planted_outcome(proposal);
          },
          1000, concurrency);
      EXPECT_EQ(n_distinct(tried), size);
      EXPECT_EQ(best, 2);
      EXPECT_TRUE(repeats() || tried.size() == size) << tried.size();
    }
  }
}

TEST_P(EveryStrategy, ExhaustsSpacesOfEveryKindOfChoice) {
  const std::vector<std::pair<ir::Graph, size_t>> spaces = {{two_by_two(), 4},
                                                            {some_of_three(2), 3},
                                                            {some_of_three(std::nullopt), 8},
                                                            {detour(), 3},
                                                            {widths(), 6}};
  for (const auto& [space, size] : spaces) {
    const auto strategy = make(space, 1);
    Random random(1);
    const auto tried = search(
        *strategy, [&](auto&) { return success({random.uniform()}); }, 1000);
    EXPECT_EQ(n_distinct(tried), size) << space.name();
    EXPECT_TRUE(repeats() || tried.size() == size) << space.name();
  }
}

TEST_P(EveryStrategy, ProposesNothingWhereNothingIsAdmitted) {
  const auto strategy = make({chain_of({3, 3}), [](const Architecture&) { return false; }}, 1);
  EXPECT_TRUE(search(*strategy, planted_outcome, 10).empty());
}

TEST_P(EveryStrategy, SurvivesTrialsThatFail) {
  for (const double failing : {0.2, 0.4, 1.0}) {
    for (const size_t concurrency : {1, 4}) {
      const auto strategy = make(chain_of({3, 3, 3}), 5);
      Random random(7);
      double best = 0;
      const auto tried = search(
          *strategy,
          [&](const Proposal& proposal) -> Outcome {
            if (random.uniform() < failing) {
              return {random.below(2) == 0 ? TrialStatus::Failed : TrialStatus::Invalid, {}};
            }
            best = std::max(best, planted(proposal.architecture));
            return planted_outcome(proposal);
          },
          1000, concurrency);
      EXPECT_EQ(n_distinct(tried), 27u);
      EXPECT_GE(best, failing < 1 ? 2 : 0);
    }
  }
}

TEST_P(EveryStrategy, DependsOnItsSeedAndOnWhatItIsToldOnly) {
  for (const size_t concurrency : {1, 3}) {
    const auto run = [&](uint64_t seed) {
      return search(*make(chain_of({3, 3, 3, 3}), seed), planted_outcome, 60, concurrency);
    };
    EXPECT_EQ(run(3), run(3));
    if (GetParam() != "grid") {
      EXPECT_NE(run(3), run(4));
    }
  }
}

TEST_P(EveryStrategy, ContinuesFromItsStateAsIfItHadNotStopped) {
  const Domain domain(chain_of({3, 3, 3, 3, 3}));
  const auto whole = make(domain, 3);
  for (int i = 0; i < 170; ++i) {
    // Not even the generator is taken from the other.
    const auto resumed = make(domain, 99);
    const Json state = Json::parse(whole->state().dump());
    resumed->load_state(state);
    EXPECT_EQ(resumed->state(), state);
    const Strategy::Answer expected = whole->ask(), found = resumed->ask();
    ASSERT_EQ(expected.index(), found.index());
    const auto* proposal = std::get_if<Proposal>(&expected);
    if (proposal == nullptr) {
      break;
    }
    ASSERT_EQ(*proposal, std::get<Proposal>(found)) << "proposal " << i;
    const Outcome outcome =
        i % 7 == 3 ? Outcome{TrialStatus::Failed, {}} : planted_outcome(*proposal);
    whole->tell(*proposal, outcome);
    resumed->tell(*proposal, outcome);
    EXPECT_EQ(resumed->state(), whole->state());
  }
}

/// What is spent before the planted optimum of 3^6 = 729 architectures is known, in trials.
double mean_cost(const std::string& name) {
  constexpr int kSeeds = 30;
  double sum = 0;
  for (int seed = 1; seed <= kSeeds; ++seed) {
    const auto strategy = make(name, chain_of(std::vector<int64_t>(6, 3)), seed);
    bool found = false;
    while (!found) {
      constexpr double kFullEpochs = 9;
      const auto proposal = std::get<Proposal>(strategy->ask());
      sum += proposal.epochs > 0 ? static_cast<double>(proposal.epochs) / kFullEpochs : 1;
      found = planted(proposal.architecture) == 6;
      strategy->tell(proposal, planted_outcome(proposal));
    }
  }
  return sum / kSeeds;
}

TEST_P(EveryStrategy, FindsAPlantedOptimumMoreCheaplyThanRandomSearch) {
  const double cost = mean_cost(GetParam());
  RecordProperty("mean_evaluations", std::to_string(cost));
  std::cout << GetParam() << ": " << cost << " evaluations\n";
  if (GetParam() == "random" || GetParam() == "grid") {
    // Without replacement the optimum is anywhere: 365 on average.
    EXPECT_TRUE(GetParam() == "grid" || (cost > 265 && cost < 465)) << cost;
  } else {
    EXPECT_LT(cost, 200);
  }
}

INSTANTIATE_TEST_SUITE_P(OfTheTable, EveryStrategy,
                         testing::ValuesIn(standard_strategies().names()),
                         [](const auto& strategy) { return strategy.param; });

TEST(StrategyTable, MakesStrategiesByNameAndNamesTheNearest) {
  const StrategyTable table = standard_strategies();
  EXPECT_THAT(table.names(), testing::IsSupersetOf({"evolution", "grid", "random", "tpe"}));
  const auto grid = table.make("grid", Json::object(), two_by_two(), 1);
  EXPECT_EQ(std::get<Proposal>(grid->ask()).id, 0);
  EXPECT_EQ(error_of([&] { table.make("gird", Json::object(), two_by_two(), 1); }),
            "unknown strategy 'gird'; did you mean 'grid'?");
  EXPECT_EQ(error_of([&] {
              table.make("random", {{"trie", 3}}, two_by_two(), 1);
            }),
            "strategy 'random': unknown key 'trie'; did you mean 'tries'?");
}

}  // namespace
}  // namespace retia
