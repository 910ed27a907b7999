#include "retia/mutators/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/executor/network.h"
#include "retia/engine/mutables/input_choice.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/mutators/chi_square.h"

namespace retia {
namespace {

class RandomMutatorOnNetwork : public testing::Test {
 protected:
  Network network_{every_choice_space(), 1};
  RandomMutator mutator_{*network_, {.seed = 7}};
};

std::map<std::vector<int64_t>, int64_t> counts_of(RandomMutator& mutator,
                                                  const std::string& label) {
  std::map<std::vector<int64_t>, int64_t> counts;
  for (int i = 0; i < 6000; ++i) {
    mutator.reset();
    ++counts[mutator.current().at(label).chosen];
  }
  return counts;
}

TEST_F(RandomMutatorOnNetwork, ChoosesEveryLayerEquallyOften) {
  const auto counts = counts_of(mutator_, "first");
  EXPECT_EQ(counts.size(), 4);
  EXPECT_LT(strangeness(counts, 4), 5);
}

TEST_F(RandomMutatorOnNetwork, ChoosesEverySetOfInputsEquallyOftenWithoutRepeats) {
  const auto counts = counts_of(mutator_, "mean");
  EXPECT_EQ(counts.size(), 3);  // 2 of 3
  EXPECT_LT(strangeness(counts, 3), 5);
  for (const auto& [chosen, count] : counts) {
    ASSERT_EQ(chosen.size(), 2);
    EXPECT_LT(chosen[0], chosen[1]);
  }
}

TEST(RandomMutator, ChoosesTwoOfFourAsSixSets) {
  InputChoice pick(InputChoiceModuleOptions{.n_candidates = 4, .n_chosen = 2, .label = "pick"});
  RandomMutator mutator(*pick, {.seed = 3});
  const auto counts = counts_of(mutator, "pick");
  EXPECT_EQ(counts.size(), 6);
  EXPECT_LT(strangeness(counts, 6), 5);
}

TEST_F(RandomMutatorOnNetwork, ChoosesAnyNumberOfInputsEachWithProbabilityOneHalf) {
  const auto counts = counts_of(mutator_, "any");
  EXPECT_EQ(counts.size(), 4);
  EXPECT_EQ(counts.count({}), 1);
  EXPECT_LT(strangeness(counts, 4), 5);
}

TEST_F(RandomMutatorOnNetwork, RunsTheNetworkWhateverItChooses) {
  const at::NoGradGuard no_grad;
  network_->to(at::kDouble);
  for (int i = 0; i < 20; ++i) {
    mutator_.reset();
    ASSERT_EQ(network_->forward(normal_tensor({2, 3, 7, 5}, 1)).numel(), 6);
  }
}

TEST_F(RandomMutatorOnNetwork, ExportsWhatComesNextAndChangesNothing) {
  mutator_.reset();
  const Json before = mutator_.state();
  const Architecture current = mutator_.current();
  const Architecture exported = mutator_.export_architecture();
  EXPECT_EQ(mutator_.export_architecture(), exported);
  EXPECT_EQ(mutator_.state(), before);
  EXPECT_EQ(mutator_.current(), current);
  mutator_.reset();
  EXPECT_EQ(mutator_.current(), exported);
}

TEST_F(RandomMutatorOnNetwork, ContinuesFromItsState) {
  mutator_.reset();
  const Json saved = Json::parse(mutator_.state().dump());
  std::vector<Architecture> expected;
  for (int i = 0; i < 5; ++i) {
    expected.push_back(mutator_.sample_search());
  }
  mutator_.load_state(saved);
  for (const Architecture& architecture : expected) {
    EXPECT_EQ(mutator_.sample_search(), architecture);
  }
}

TEST(RandomMutator, DrawsBySeed) {
  Network network(every_choice_space(), 1);
  const auto draws = [&](uint64_t seed) {
    RandomMutator mutator(*network, {.seed = seed});
    std::vector<Architecture> all;
    for (int i = 0; i < 5; ++i) {
      all.push_back(mutator.sample_search());
    }
    return all;
  };
  EXPECT_EQ(draws(1), draws(1));
  EXPECT_NE(draws(1), draws(2));
}

}  // namespace
}  // namespace retia
