#include "retia/strategies/local_search.h"

#include <gmock/gmock.h>

#include "retia/tests/strategies/searches.h"
#include "retia/tests/strategies/spaces.h"

namespace retia {
namespace {

int n_differences(const Architecture& a, const Architecture& b) {
  int n = 0;
  for (const auto& [label, decision] : a) {
    n += b.at(label) == decision ? 0 : 1;
  }
  return n;
}

TEST(LocalSearch, TriesTheNeighboursOfTheBestStart) {
  for (const Improvement step : {Improvement::First, Improvement::Best}) {
    LocalSearchStrategy strategy(chain_of({3, 3, 3, 3}), {.starts = 4, .step = step}, 1);
    const auto tried = search(strategy, planted_outcome, 12);
    size_t best = 0;
    for (size_t i = 1; i < 4; ++i) {
      best = planted(tried[i].architecture) > planted(tried[best].architecture) ? i : best;
    }
    // Where the best of all neighbours is waited for, all eight of them come first.
    for (size_t i = 4; i < (step == Improvement::First ? 5 : 10); ++i) {
      EXPECT_EQ(n_differences(tried[i].architecture, tried[best].architecture), 1) << i;
    }
  }
}

TEST(LocalSearch, ClimbsASlopeWithoutEverGoingDown) {
  LocalSearchStrategy strategy(chain_of({3, 3, 3, 3, 3, 3}), {.starts = 1}, 3);
  // From one start, each step up costs at most 12 neighbours, and there are at most six steps.
  const auto tried = search(strategy, planted_outcome, 1 + 6 * 12);
  double best = 0;
  for (const Proposal& proposal : tried) {
    best = std::max(best, planted(proposal.architecture));
  }
  EXPECT_EQ(best, 6);
}

TEST(LocalSearch, BeginsAgainElsewhereOnASummit) {
  LocalSearchStrategy strategy(chain_of({3, 3}), {.starts = 1}, 1);
  EXPECT_EQ(search(strategy, [](const Proposal&) { return success({1}); }).size(), 9u);
}

TEST(LocalSearch, ChangesOneInputWhereAnyNumberMayBeChosen) {
  LocalSearchStrategy strategy(some_of_three(std::nullopt),
                               {.starts = 1, .step = Improvement::Best}, 1);
  const auto tried = search(
      strategy, [](const Proposal&) { return success({1}); }, 4);
  for (size_t i = 1; i < 4; ++i) {
    std::vector<int64_t> changed;
    const auto &a = tried[0].architecture.at("edges").chosen,
               &b = tried[i].architecture.at("edges").chosen;
    std::set_symmetric_difference(a.begin(), a.end(), b.begin(), b.end(),
                                  std::back_inserter(changed));
    EXPECT_EQ(changed.size(), 1u);
  }
}

TEST(LocalSearch, RefusesNoStarts) {
  EXPECT_EQ(error_of([] { LocalSearchStrategy(chain_of({3}), {.starts = 0}, 1); }),
            "strategy 'local_search'.starts must be at least 1, got 0");
}

}  // namespace
}  // namespace retia
