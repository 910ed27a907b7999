#include "retia/engine/cost/expected_cost.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "retia/engine/cost/profile.h"
#include "retia/engine/cost/window.h"
#include "retia/engine/space/freeze.h"
#include "retia/models/spaces.h"
#include "retia/tests/engine/example_spaces.h"

namespace retia {
namespace {

ir::Space space_of(const std::string& name) {
  return standard_spaces().search(name, Json::object(), {.input = {3, 32, 32}, .n_outputs = 10});
}

/// The spaces whose models share what they consist of.
std::vector<std::string> supernets() {
  std::vector<std::string> names;
  for (const std::string& name : standard_spaces().names()) {
    if (name != "nasbench101" && space_of(name).mutators().empty()) {
      names.push_back(name);
    }
  }
  return names;
}

class ExpectedCostOfSpaces : public testing::TestWithParam<std::string> {};

TEST_P(ExpectedCostOfSpaces, AgreesWithFrozenModelsAndWithTheirMean) {
  const ir::Graph space = space_of(GetParam()).supernet();
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

INSTANTIATE_TEST_SUITE_P(Standard, ExpectedCostOfSpaces, testing::ValuesIn(supernets()),
                         [](const auto& instance) { return instance.param; });

TEST(WindowOfSpaces, AlsoBoundsModelsWhosePartsCannotBeListed) {
  const ir::Space space = standard_spaces().search(
      "nasbench101", {{"channels", 4}, {"cells", 1}, {"vertices", 3}}, {{3, 8, 8}, 10});
  // Vertices 0, 1 and 2, the output: 0 -> 1 -> 2 or 0 -> 2.
  Architecture through, past;
  for (const Mutable& choice : space.mutables()) {
    const auto index = [&choice](const std::string& name) {
      const auto found = std::find(choice.names.begin(), choice.names.end(), name);
      return found == choice.names.end() ? int64_t{0} : found - choice.names.begin();
    };
    through[choice.label] = {{index(choice.label == "cell/0-2" ? "false" : "true")}};
    past[choice.label] = {{index(choice.label == "cell/0-2" ? "true" : "false")}};
  }
  const auto parameters_in = [&](const Architecture& architecture) {
    return ir::total_cost(space.model(space.canonical(architecture))).parameters.value();
  };
  ASSERT_LT(parameters_in(past), parameters_in(through));
  const ir::Filter admits = ir::within(space, {.max_parameters = parameters_in(past)});
  EXPECT_TRUE(admits(past));
  EXPECT_FALSE(admits(through));
}

}  // namespace
}  // namespace retia
