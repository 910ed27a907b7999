#include "retia/strategies/factors.h"

#include <gmock/gmock.h>

#include <set>

#include "retia/engine/base/random.h"
#include "retia/engine/mutables/uniform_sample.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

Mutable choice(const std::string& label, int64_t n, std::optional<int64_t> n_chosen) {
  Mutable made{.label = label, .kind = MutableKind::InputChoice, .n_chosen = n_chosen};
  for (int64_t k = 0; k < n; ++k) {
    made.names.push_back(std::to_string(k));
  }
  return made;
}

TEST(Factors, NumberTheSetsOfAChoiceInLexicographicOrder) {
  const Factors factors({choice("pair", 4, 2)});
  std::vector<std::vector<int64_t>> sets;
  for (int64_t category = 0; category < factors.list()[0].n; ++category) {
    sets.push_back(factors.decision(0, {category}).chosen);
  }
  EXPECT_THAT(sets, testing::ElementsAre(testing::ElementsAre(0, 1), testing::ElementsAre(0, 2),
                                         testing::ElementsAre(0, 3), testing::ElementsAre(1, 2),
                                         testing::ElementsAre(1, 3), testing::ElementsAre(2, 3)));
}

TEST(Factors, GoThereAndBack) {
  const std::vector<Mutable> mutables = {choice("one", 5, 1), choice("three", 6, 3),
                                         choice("any", 4, std::nullopt), choice("none", 3, 0)};
  const Factors factors(mutables);
  EXPECT_EQ(factors.size(), 1u + 1 + 4 + 1);
  Random random(1);
  std::set<Categories> seen;
  for (int i = 0; i < 300; ++i) {
    const Architecture architecture = sample_uniformly(mutables, random);
    const Categories categories = factors.categories(architecture);
    EXPECT_EQ(factors.architecture(categories), architecture);
    seen.insert(categories);
  }
  EXPECT_GT(seen.size(), 200u);
}

TEST(Factors, HaveNoCategoryWhereNothingIsDecided) {
  const Factors factors({choice("one", 5, 1), choice("any", 2, std::nullopt)});
  const Architecture some = {{"one", {{3}}}};
  EXPECT_EQ(factors.categories(some), (Categories{3, std::nullopt, std::nullopt}));
  EXPECT_EQ(factors.architecture({3, std::nullopt, std::nullopt}), some);
}

TEST(Factors, RefuseMoreSetsThanCanBeCounted) {
  EXPECT_THAT(error_of([] { Factors({choice("many", 40, 20)}); }),
              testing::HasSubstr("'many' has more than 65536 sets of 20 of 40"));
}

}  // namespace
}  // namespace retia
