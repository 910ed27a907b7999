#include "engine/ir/expected_cost.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/ir/freeze.h"
#include "engine/ir/profile.h"
#include "models/spaces.h"
#include "tests/engine/example_spaces.h"

namespace retia {
namespace {

class ExpectedCostOfSpaces : public testing::TestWithParam<std::string> {};

TEST_P(ExpectedCostOfSpaces, AgreesWithFrozenModelsAndWithTheirMean) {
  const ir::Graph space =
      standard_spaces().search(GetParam(), Json::object(), {.input = {3, 32, 32}, .n_outputs = 10});
  const std::vector<Mutable> mutables = ir::mutables(space);
  const ir::ExpectedCost adds(space, ir::multiply_adds_of), weights(space, ir::parameters_of);
  Random random(5);
  for (int i = 0; i < 4; ++i) {
    const Architecture architecture = random_architecture_of(mutables, random);
    const ir::Cost counted = ir::total_cost(ir::freeze(space, ir::canonical(space, architecture)));
    EXPECT_EQ(adds.of(architecture), counted.multiply_adds.value());
    EXPECT_EQ(weights.of(architecture), counted.parameters.value());
  }
  // Decisions that are equally likely; of any number, each candidate by the toss of a coin.
  constexpr int kDraws = 4000;
  double sum = 0, squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    Architecture drawn;
    for (const Mutable& choice : mutables) {
      std::vector<int64_t>& chosen = drawn[choice.label].chosen;
      if (choice.n_chosen) {
        chosen = random.choose(*choice.n_chosen, choice.n_candidates());
      }
      for (int64_t k = 0; !choice.n_chosen && k < choice.n_candidates(); ++k) {
        if (random.below(2) == 1) {
          chosen.push_back(k);
        }
      }
    }
    const double cost = adds.of(drawn);
    sum += cost / kDraws;
    squares += cost * cost / kDraws;
  }
  const double error = std::sqrt(std::max(squares - sum * sum, 0.0) / kDraws);
  EXPECT_NEAR(adds.mean(), sum, 5 * error + 1e-6 * sum);
}

INSTANTIATE_TEST_SUITE_P(Standard, ExpectedCostOfSpaces,
                         testing::ValuesIn(standard_spaces().names()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace retia
