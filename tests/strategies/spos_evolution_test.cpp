#include "retia/strategies/spos_evolution.h"

#include <ATen/Context.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// `depth` layer choices of three candidates, one after the other.
ir::Graph chain(int64_t depth) {
  Builder b("chain");
  Wire x = b.input("x", {2, 4, 4});
  for (int64_t i = 0; i < depth; ++i) {
    x = b.layer_choice(
        c10::str("c", i),
        {{"relu", ops::relu()}, {"skip", ops::identity()}, {"max", ops::max_pool2d()}}, {x});
  }
  b.output("y", x);
  return b.finish();
}

/// The number of candidates 2: most for the one architecture that has nothing else.
double fitness(const Architecture& architecture) {
  double sum = 0;
  for (const auto& [label, decision] : architecture) {
    sum += decision.chosen.front() == 2 ? 1 : 0;
  }
  return sum;
}

/// What was proposed, in order, until nothing is left.
std::vector<Architecture> run(Strategy& strategy) {
  std::vector<Architecture> all;
  while (true) {
    const Strategy::Answer answer = strategy.ask();
    const auto* proposal = std::get_if<Proposal>(&answer);
    if (proposal == nullptr) {
      EXPECT_TRUE(std::holds_alternative<Exhausted>(answer));
      return all;
    }
    EXPECT_EQ(proposal->id, static_cast<int64_t>(all.size()));
    all.push_back(proposal->architecture);
    strategy.tell(*proposal, {TrialStatus::Succeeded, {fitness(all.back())}});
  }
}

// 3^6 = 729 architectures; of 250 drawn at random the best one is among them in a third of all
// runs.
TEST(SposEvolution, FindsTheOptimumWithin250EvaluationsAndTriesNoArchitectureTwice) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    SposEvolutionStrategy strategy(
        chain(6), {.population = 25, .crossovers = 12, .mutations = 12, .rounds = 10}, seed);
    const std::vector<Architecture> tried = run(strategy);
    EXPECT_EQ(tried.size(), 250);
    EXPECT_EQ(std::set<Architecture>(tried.begin(), tried.end()).size(), tried.size());
    double best = 0;
    for (const Architecture& architecture : tried) {
      best = std::max(best, fitness(architecture));
    }
    EXPECT_EQ(best, 6) << "seed " << seed;
  }
}

TEST(SposEvolution, ExhaustsASpaceSmallerThanAPopulation) {
  SposEvolutionStrategy strategy(chain(2), {}, 1);
  EXPECT_EQ(run(strategy).size(), 9);
}

TEST(SposEvolution, ProposesOnlyWhatIsAdmitted) {
  const auto admits = [](const Architecture& architecture) { return fitness(architecture) <= 1; };
  SposEvolutionStrategy strategy(Domain(chain(3), admits), {}, 1);
  EXPECT_EQ(run(strategy).size(), 8 + 3 * 4);  // of 27: none, or one, of the third kind
}

TEST(SposEvolution, WaitsForARoundToBeTold) {
  SposEvolutionStrategy strategy(chain(4), {.population = 3}, 1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(std::holds_alternative<Proposal>(strategy.ask()));
  }
  EXPECT_TRUE(std::holds_alternative<Wait>(strategy.ask()));
}

TEST(SposEvolution, BreedsNothingFromFailures) {
  SposEvolutionStrategy strategy(chain(2), {.population = 3, .rounds = 9}, 1);
  int64_t n = 0;
  for (Strategy::Answer answer = strategy.ask(); std::holds_alternative<Proposal>(answer);
       answer = strategy.ask()) {
    strategy.tell(std::get<Proposal>(answer), {TrialStatus::Failed, {}});
    ++n;
  }
  EXPECT_EQ(n, 9);
}

TEST(SposEvolution, ContinuesFromItsStateInTheMiddleOfARound) {
  const SposEvolutionOptions options = {.population = 10, .rounds = 5};
  SposEvolutionStrategy whole(chain(6), options, 3), resumed(chain(6), options, 8);
  for (int i = 0; i < 17; ++i) {
    const auto proposal = std::get<Proposal>(whole.ask());
    whole.tell(proposal, {TrialStatus::Succeeded, {fitness(proposal.architecture)}});
  }
  resumed.load_state(whole.state());
  for (int i = 0; i < 20; ++i) {
    const auto expected = std::get<Proposal>(whole.ask());
    EXPECT_EQ(std::get<Proposal>(resumed.ask()), expected);
    const Outcome outcome{TrialStatus::Succeeded, {fitness(expected.architecture)}};
    whole.tell(expected, outcome);
    resumed.tell(expected, outcome);
  }
}

TEST(SposEvolution, DependsOnItsSeedOnly) {
  const auto tried = [](uint64_t seed, uint64_t seed_of_others) {
    at::manual_seed(seed_of_others);
    std::srand(static_cast<unsigned>(seed_of_others));
    SposEvolutionStrategy strategy(chain(6), {.population = 10, .rounds = 5}, seed);
    return run(strategy);
  };
  EXPECT_EQ(tried(1, 1), tried(1, 2));
  EXPECT_NE(tried(1, 1), tried(2, 1));
}

TEST(SposEvolution, RefusesOptionsOutOfRange) {
  EXPECT_THAT(error_of([] { SposEvolutionStrategy(chain(2), {.population = 0}, 1); }),
              HasSubstr("population must be at least 1, got 0"));
  EXPECT_THAT(error_of([] { SposEvolutionStrategy(chain(2), {.mutation_probability = 2}, 1); }),
              HasSubstr("mutation_probability must be at most 1, got 2"));
}

}  // namespace
}  // namespace retia
