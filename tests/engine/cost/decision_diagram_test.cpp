#include "retia/engine/cost/decision_diagram.h"

#include <gtest/gtest.h>

#include <functional>

#include "retia/engine/base/random.h"

namespace retia::ir {
namespace {

using Function = DecisionDiagram::Function;

const std::vector<int64_t> kSizes = {2, 3, 1, 4};

/// Calls `visit` with every value of all variables.
void for_all_values(const std::function<void(const DecisionDiagram::Values&)>& visit) {
  DecisionDiagram::Values values(kSizes.size(), 0);
  while (true) {
    visit(values);
    size_t v = 0;
    while (v < kSizes.size() && ++values[v] == kSizes[v]) {
      values[v++] = 0;
    }
    if (v == kSizes.size()) {
      return;
    }
  }
}

/// A function as a diagram and as a table of what it is for every value.
struct Both {
  Function function;
  std::vector<bool> table;
};

Both random_function(DecisionDiagram& diagram, Random& random, int depth) {
  if (depth == 0) {
    const auto variable = static_cast<size_t>(random.below(static_cast<int64_t>(kSizes.size())));
    std::vector<bool> holds;
    for (int64_t k = 0; k < kSizes[variable]; ++k) {
      holds.push_back(random.below(2) == 1);
    }
    Both result{diagram.is(variable, holds), {}};
    for_all_values([&](const DecisionDiagram::Values& values) {
      result.table.push_back(holds[static_cast<size_t>(values[variable])]);
    });
    return result;
  }
  const Both a = random_function(diagram, random, depth - 1);
  const Both b = random_function(diagram, random, depth - 1);
  const bool conjunction = random.below(2) == 1;
  Both result{
      conjunction ? diagram.both(a.function, b.function) : diagram.either(a.function, b.function),
      {}};
  for (size_t i = 0; i < a.table.size(); ++i) {
    result.table.push_back(conjunction ? a.table[i] && b.table[i] : a.table[i] || b.table[i]);
  }
  return result;
}

DecisionDiagram::Probabilities random_probabilities(Random& random) {
  DecisionDiagram::Probabilities p;
  for (const int64_t n : kSizes) {
    p.emplace_back();
    for (int64_t k = 0; k < n; ++k) {
      p.back().push_back(random.uniform());
    }
  }
  return p;
}

TEST(DecisionDiagram, IsWhatTheTablesOfItsPartsSay) {
  Random random(1);
  DecisionDiagram diagram(kSizes);
  std::map<std::vector<bool>, Function> seen;
  for (int i = 0; i < 300; ++i) {
    const Both f = random_function(diagram, random, i % 5);
    size_t row = 0;
    for_all_values([&](const DecisionDiagram::Values& values) {
      EXPECT_EQ(diagram.at(f.function, values), f.table[row++]);
    });
    EXPECT_EQ(seen.emplace(f.table, f.function).first->second, f.function)
        << "equal functions are one";
  }
}

TEST(DecisionDiagram, ExpectsWhatTheSumOverAllValuesGives) {
  Random random(2);
  DecisionDiagram diagram(kSizes);
  std::map<Function, double> weights;
  std::vector<std::pair<std::vector<bool>, double>> terms;
  for (int i = 0; i < 20; ++i) {
    const Both f = random_function(diagram, random, 3);
    weights[f.function] += i;
    terms.emplace_back(f.table, i);
  }
  const auto sum = [&](const DecisionDiagram::Probabilities& p) {
    double total = 0;
    size_t row = 0;
    for_all_values([&](const DecisionDiagram::Values& values) {
      double probability = 1;
      for (size_t v = 0; v < values.size(); ++v) {
        probability *= p[v][static_cast<size_t>(values[v])];
      }
      for (const auto& [table, weight] : terms) {
        total += table[row] ? weight * probability : 0;
      }
      ++row;
    });
    return total;
  };
  // A diagram leaves out a variable that nothing depends on, so its probabilities must sum to 1.
  DecisionDiagram::Probabilities p = random_probabilities(random);
  for (std::vector<double>& of_variable : p) {
    double total = 0;
    for (const double value : of_variable) {
      total += value;
    }
    for (double& value : of_variable) {
      value /= total;
    }
  }
  const auto [value, gradient] = diagram.expectation(weights, p);
  EXPECT_NEAR(value, sum(p), 1e-12 * value);
  // Along a direction that keeps the sums, E is linear in the probabilities of each variable.
  for (size_t v = 0; v < p.size(); ++v) {
    for (size_t k = 1; k < p[v].size(); ++k) {
      DecisionDiagram::Probabilities moved = p;
      moved[v][0] += 0.25;
      moved[v][k] -= 0.25;
      EXPECT_NEAR(sum(moved) - sum(p), 0.25 * (gradient[v][0] - gradient[v][k]), 1e-9);
    }
  }
}

}  // namespace
}  // namespace retia::ir
