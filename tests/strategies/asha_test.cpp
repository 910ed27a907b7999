#include "retia/strategies/asha.h"

#include <gmock/gmock.h>

#include "retia/tests/error_of.h"
#include "retia/tests/strategies/searches.h"

namespace retia {
namespace {

// Nine architectures, each better than all before. By hand: three trials fill a third of the lowest
// rung, so the best of them, 2, goes on as trial 3; of four and five the newest is the best; trials
// 3, 5 and 7 then fill a third of the middle rung, and so on.
TEST(Asha, PromotesTheBestThirdAsSoonAsItIsKnown) {
  AshaStrategy strategy(chain_of({3, 3}), {.min_epochs = 1, .max_epochs = 9}, 1);
  std::map<Architecture, double> rewards;
  const auto tried = search(strategy, [&](const Proposal& proposal) {
    const auto next = static_cast<double>(rewards.size());
    return success({rewards.emplace(proposal.architecture, next).first->second});
  });
  using Plan = std::vector<std::pair<int64_t, int64_t>>;  // epochs, continued trial
  Plan plan;
  for (const Proposal& proposal : tried) {
    plan.emplace_back(proposal.epochs, proposal.continues);
  }
  EXPECT_EQ(plan, (Plan{{1, -1}, {1, -1}, {1, -1}, {3, 2},  {1, -1}, {3, 4},  {1, -1},
                        {3, 6},  {9, 7},  {1, -1}, {3, 9},  {9, 10}, {1, -1}, {3, 12},
                        {9, 13}, {1, -1}, {3, 15}, {9, 16}, {1, -1}, {3, 18}, {9, 19}}));
  for (const Proposal& proposal : tried) {
    if (proposal.continues >= 0) {
      EXPECT_EQ(tried[static_cast<size_t>(proposal.continues)].architecture, proposal.architecture);
    }
  }
}

TEST(Asha, TrainsFromScratchWhereItIsToldTo) {
  AshaStrategy strategy(chain_of({3, 3}), {.promotion = Promotion::Restart}, 1);
  for (const Proposal& proposal : search(strategy, planted_outcome)) {
    EXPECT_EQ(proposal.continues, -1);
  }
}

TEST(Asha, NeverPromotesAFailure) {
  AshaStrategy strategy(chain_of({3, 3}), {}, 1);
  const auto tried = search(strategy, [](const Proposal&) {
    return Outcome{TrialStatus::Failed, {}};
  });
  EXPECT_EQ(tried.size(), 9u);
}

TEST(Asha, EndsInTheHighestRungWhateverTheReductionMakesOfIt) {
  AshaStrategy strategy(chain_of({3, 3, 3}), {.min_epochs = 2, .max_epochs = 10, .reduction = 3},
                        1);
  std::set<int64_t> epochs;
  for (const Proposal& proposal : search(strategy, planted_outcome)) {
    epochs.insert(proposal.epochs);
  }
  EXPECT_THAT(epochs, testing::ElementsAre(2, 6, 10));
  EXPECT_EQ(error_of([] { AshaStrategy(chain_of({3}), {.reduction = 1}, 1); }),
            "strategy 'asha'.reduction must be at least 2, got 1");
  EXPECT_EQ(error_of([] { AshaStrategy(chain_of({3}), {.min_epochs = 9, .max_epochs = 3}, 1); }),
            "strategy 'asha': max_epochs must be at least min_epochs, got 3 and 9");
}

}  // namespace
}  // namespace retia
