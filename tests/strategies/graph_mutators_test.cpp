#include <gmock/gmock.h>

#include <set>

#include "retia/engine/ir/json.h"
#include "retia/strategies/grid.h"
#include "retia/strategies/random.h"
#include "retia/tests/engine/mutated_spaces.h"

namespace retia {
namespace {

/// All that a strategy proposes until it is exhausted.
std::vector<Architecture> all(Strategy& strategy) {
  std::vector<Architecture> found;
  Strategy::Answer answer = strategy.ask();
  while (const auto* proposal = std::get_if<Proposal>(&answer)) {
    found.push_back(proposal->architecture);
    strategy.tell(*proposal, {.status = TrialStatus::Failed});
    answer = strategy.ask();
  }
  EXPECT_TRUE(std::holds_alternative<Exhausted>(answer));
  return found;
}

/// How many different models `architectures` make.
size_t n_models(const ir::Space& space, const std::vector<Architecture>& architectures) {
  std::set<std::string> models;
  for (const Architecture& architecture : architectures) {
    models.insert(ir::to_json(space.model(architecture)).dump());
  }
  return models.size();
}

// Each of the two placeholders becomes one layer in 2 ways or two layers in 4, and what a label
// stands for depends on how many layers there are.
constexpr size_t kDepths = (2 + 4) * (2 + 4);

TEST(GraphMutators, AreEnumeratedByAGridModelByModel) {
  const ir::Space space = depths_space();
  GridStrategy grid(space);
  const std::vector<Architecture> found = all(grid);
  EXPECT_EQ(found.size(), kDepths);
  EXPECT_EQ(n_models(space, found), kDepths);
}

TEST(GraphMutators, AreExhaustedByRandomSearchModelByModel) {
  const ir::Space space = depths_space();
  RandomStrategy random(space, {.tries = 20}, 3);
  const std::vector<Architecture> found = all(random);
  EXPECT_EQ(found.size(), kDepths);
  EXPECT_EQ(n_models(space, found), kDepths);
}

TEST(GraphMutators, AreEnumeratedOnceWhereCandidatesDependOnDecisions) {
  const ir::Space space = dependent_space();
  GridStrategy grid(space);
  const std::vector<Architecture> found = all(grid);
  // Shallow: 2 candidates; deep: 3, the last of which leads to 2.
  EXPECT_EQ(found.size(), 6u);
  EXPECT_EQ(std::set<Architecture>(found.begin(), found.end()).size(), 6u);
}

TEST(GraphMutators, AreEnumeratedInOrderOfTheirCandidates) {
  const ir::Space space = operations_space();
  GridStrategy grid(space);
  const std::vector<Architecture> found = all(grid);
  ASSERT_EQ(found.size(), 9u);
  EXPECT_EQ(found[1], (Architecture{{"op/0", {{0}}}, {"op/1", {{1}}}}));
  EXPECT_EQ(found[8], (Architecture{{"op/0", {{2}}}, {"op/1", {{2}}}}));
}

}  // namespace
}  // namespace retia
