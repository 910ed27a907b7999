#include "retia/mutators/fairnas.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "retia/engine/executor/network.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"
#include "retia/tests/mutators/chi_square.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// Two layer choices of three candidates, the second of which may have more.
Network chain(bool fourth) {
  Builder b("chain");
  Wire x = b.input("x", {2, 4, 4});
  for (const char* name : {"a", "b"}) {
    std::vector<ir::CandidateWriter> candidates = {
        {"relu", ops::relu()}, {"skip", ops::identity()}, {"max", ops::max_pool2d()}};
    if (fourth && std::string(name) == "b") {
      candidates.emplace_back("none", ops::zero());
    }
    x = b.layer_choice(name, candidates, {x});
  }
  b.output("y", x);
  return Network(b.finish(), 1);
}

TEST(FairnasMutator, HasEachCandidateOnceInARound) {
  Network network = chain(false);
  FairnasMutator mutator(*network, {.seed = 5});
  ASSERT_EQ(mutator.n_paths(), 3);
  for (int round = 0; round < 20; ++round) {
    std::map<std::string, std::set<int64_t>> seen;
    for (int path = 0; path < 3; ++path) {
      mutator.reset();
      for (const char* label : {"a", "b"}) {
        seen[label].insert(mutator.current().at(label).chosen.front());
      }
    }
    EXPECT_EQ(seen["a"].size(), 3);
    EXPECT_EQ(seen["b"].size(), 3);
  }
}

TEST(FairnasMutator, DrawsEveryPathEquallyOften) {
  Network network = chain(false);
  FairnasMutator mutator(*network, {.seed = 5});
  std::map<Architecture, int64_t> counts;
  for (int i = 0; i < 9000; ++i) {
    mutator.reset();
    ++counts[mutator.current()];
  }
  EXPECT_EQ(counts.size(), 9);
  EXPECT_LT(strangeness(counts, 9), 5);
}

TEST(FairnasMutator, ContinuesFromItsStateInTheMiddleOfARound) {
  Network network = chain(false);
  FairnasMutator mutator(*network, {.seed = 5});
  mutator.reset();
  const Json saved = mutator.state();
  const std::vector<Architecture> next = {mutator.sample_search(), mutator.sample_search(),
                                          mutator.sample_search()};
  FairnasMutator* const same = &mutator;
  same->load_state(saved);
  for (const Architecture& expected : next) {
    EXPECT_EQ(same->sample_search(), expected);
  }
}

TEST(FairnasMutator, RefusesChoicesOfUnequalSize) {
  Network network = chain(true);
  EXPECT_THAT(error_of([&] { FairnasMutator(*network, {}); }),
              HasSubstr("equally many candidates, but 'a' has 3 and 'b' 4"));
}

}  // namespace
}  // namespace retia
