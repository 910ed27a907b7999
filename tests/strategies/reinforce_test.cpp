#include "retia/strategies/reinforce.h"

#include <gmock/gmock.h>

#include "retia/tests/strategies/searches.h"
#include "retia/tests/strategies/spaces.h"

namespace retia {
namespace {

// Two decisions of two. The first reward is the baseline; the second, 3 after 1, is 2 above it, and
// the plain averages make the variance 2² / 4 and the deviation 1: an advantage of 2. So the chosen
// logit moves by lr · 2 · (1 - 1/2) and the other by the opposite.
TEST(Reinforce, MovesLogitsByThePolicyGradientAsByHand) {
  ReinforceStrategy strategy(chain_of({2, 2}), {.lr = 0.1, .entropy_weight = 0}, 1);
  const auto first = std::get<Proposal>(strategy.ask());
  strategy.tell(first, success({1}));
  EXPECT_EQ(strategy.state().at("logits"), (Json{{0.0, 0.0}, {0.0, 0.0}}));
  strategy.tell({.id = 1, .architecture = {{"c0", {{1}}}, {"c1", {{0}}}}}, success({3}));
  const Json logits = strategy.state().at("logits");
  EXPECT_NEAR(logits[0][1].get<double>(), 0.1, 1e-12);
  EXPECT_NEAR(logits[0][0].get<double>(), -0.1, 1e-12);
  EXPECT_NEAR(logits[1][0].get<double>(), 0.1, 1e-12);
}

TEST(Reinforce, FollowsTheGradientOfTheEntropyByFiniteDifferences) {
  ReinforceStrategy strategy(chain_of({3}), {.lr = 1, .entropy_weight = 1}, 1);
  Json state = strategy.state();
  const std::vector<double> at = {0.3, -0.2, 0.9};
  state["logits"] = {at};
  strategy.load_state(state);
  const auto entropy = [](std::vector<double> logits) {
    double sum = 0, h = 0;
    for (const double logit : logits) sum += std::exp(logit);
    for (const double logit : logits) h -= std::exp(logit) / sum * (logit - std::log(sum));
    return h;
  };
  // The first reward has no advantage, so only the entropy moves the policy.
  strategy.tell(std::get<Proposal>(strategy.ask()), success({1}));
  for (size_t c = 0; c < 3; ++c) {
    std::vector<double> up = at, down = at;
    up[c] += 1e-6;
    down[c] -= 1e-6;
    const double moved = strategy.state().at("logits")[0][c].get<double>() - at[c];
    EXPECT_NEAR(moved, (entropy(up) - entropy(down)) / 2e-6, 1e-6);
  }
}

TEST(Reinforce, LeavesThePolicyOfWhatIsNotReached) {
  ReinforceStrategy strategy(detour(), {}, 1);
  strategy.tell({.id = 0, .architecture = {{"way", {{0}}}}}, success({1}));
  strategy.tell({.id = 1, .architecture = {{"way", {{0}}}}}, success({2}));
  const auto policy = strategy.probabilities();
  EXPECT_EQ(policy[0], (std::vector<double>{0.5, 0.5}));
  EXPECT_GT(policy[1][0], 0.5);
}

TEST(Reinforce, DoesNotDependOnTheScaleOfRewards) {
  const auto run = [](double scale) {
    ReinforceStrategy strategy(chain_of({3, 3, 3, 3}), {}, 1);
    return search(
        strategy, [scale](const Proposal& p) { return success({scale * planted(p.architecture)}); },
        40);
  };
  EXPECT_EQ(run(1), run(1024));
}

TEST(Reinforce, ConvergesToThePlantedOptimum) {
  ReinforceStrategy strategy(chain_of({3, 3, 3, 3, 3, 3}), {.duplicates = Duplicates::Allow}, 1);
  search(strategy, planted_outcome, 600);
  for (const std::vector<double>& distribution : strategy.probabilities()) {
    EXPECT_GT(distribution[2], 0.8);
  }
}

TEST(Reinforce, RefusesALearningRateOfZero) {
  EXPECT_EQ(error_of([] { ReinforceStrategy(chain_of({3}), {.lr = 0}, 1); }),
            "strategy 'reinforce'.lr must be above 0, got 0.0");
}

}  // namespace
}  // namespace retia
