#include "retia/engine/mutables/uniform_sample.h"

#include <gmock/gmock.h>

#include "retia/tests/mutators/chi_square.h"

namespace retia {
namespace {

std::map<std::vector<int64_t>, int64_t> counts_of(const Mutable& choice) {
  Random random(3);
  std::map<std::vector<int64_t>, int64_t> counts;
  for (int i = 0; i < 6000; ++i) {
    ++counts[sample_uniformly(choice, random).chosen];
  }
  return counts;
}

TEST(UniformSample, ChoosesEverySetOfNChosenEquallyOften) {
  const auto counts = counts_of({.label = "two", .names = {"a", "b", "c", "d"}, .n_chosen = 2});
  EXPECT_EQ(counts.size(), 6);
  EXPECT_LT(strangeness(counts, 6), 5);
}

TEST(UniformSample, ChoosesEachCandidateWithProbabilityOneHalfWhereAnyNumberMayBeChosen) {
  const auto counts =
      counts_of({.label = "any", .names = {"a", "b", "c"}, .n_chosen = std::nullopt});
  EXPECT_EQ(counts.size(), 8);
  EXPECT_EQ(counts.count({}), 1);
  EXPECT_LT(strangeness(counts, 8), 5);
}

TEST(UniformSample, DecidesEveryMutableByTheSeedAlone) {
  const std::vector<Mutable> mutables = {{.label = "b", .names = {"0", "1", "2"}},
                                         {.label = "a", .names = {"0", "1"}}};
  Random first(9), second(9);
  const Architecture architecture = sample_uniformly(mutables, first);
  EXPECT_EQ(architecture, sample_uniformly(mutables, second));
  ASSERT_TRUE(architecture.contains("a") && architecture.contains("b"));
  EXPECT_EQ(first.state(), second.state());
}

}  // namespace
}  // namespace retia
