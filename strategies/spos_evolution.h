#pragma once

#include <vector>

#include "retia/engine/io/option.h"
#include "retia/strategies/learner.h"
#include "retia/strategies/proposals.h"

namespace retia {

/// The options of SposEvolutionStrategy.
struct SposEvolutionOptions {
  int64_t population = 50;  ///< architectures per round, ≥ 1
  int64_t parents = 10;     ///< number of best architectures so far, which breed, ≥ 1
  int64_t crossovers = 25;  ///< children of two parents per round, ≥ 0
  int64_t mutations = 25;   ///< children of one parent per round, ≥ 0
  /// Probability that a decision of a mutated child is drawn anew.
  double mutation_probability = 0.1;
  int64_t rounds = 20;  ///< ≥ 1
};
inline std::vector<Option> declared(SposEvolutionOptions& o) {
  return {
      option("population", o.population, Range{1, 1e9}, "architectures of a round"),
      option("parents", o.parents, Range{1, 1e9}, "best architectures so far, which breed"),
      option("crossovers", o.crossovers, Range{0, 1e9}, "children of two parents in a round"),
      option("mutations", o.mutations, Range{0, 1e9}, "children of one parent in a round"),
      option("mutation_probability", o.mutation_probability, Range{0, 1},
             "probability that a decision of a mutated child is drawn anew"),
      option("rounds", o.rounds, Range{1, 1e9}, "rounds"),
  };
}

/// The evolution of Single Path One-Shot (Guo et al., ECCV 2020, algorithm 1). The first round is
/// random. Each later round has children of the best architectures: crossovers take every decision
/// from either parent with probability 1/2, mutations draw each decision anew with
/// mutation_probability; random architectures fill the population. No architecture is proposed
/// twice: a child that is not new is bred again, up to ten times the wanted number. Ends after
/// `rounds`, or when no architecture is left, so also in spaces smaller than a population.
class SposEvolutionStrategy final : public Strategy, public Learner {
 public:
  /// Proposes architectures of `domain`. `seed`: seed of random architectures, crossovers and
  /// mutations. Throws, naming the option, where one is out of range.
  SposEvolutionStrategy(const Domain& domain, const SposEvolutionOptions& options, uint64_t seed);

  Answer ask() override;
  /// Adds a trial that succeeded to the parents if its reward is high enough; other trials have no
  /// children.
  void tell(const Proposal& proposal, const Outcome& outcome) override;
  void learn(const Architecture& architecture, const Outcome& outcome) override;
  Json state() const override;
  void load_state(const Json& state) override;

 private:
  struct Parent {
    double fitness = 0;
    Architecture architecture;
  };
  bool breed();
  const Architecture& any_parent();

  Proposals proposals_;
  SposEvolutionOptions options_;
  Random random_;
  std::vector<Parent> parents_;  // sorted, the best first
  std::vector<Proposal> round_;  // proposals of this round
  size_t next_ = 0;              // next index in round_
  int64_t n_told_ = 0, n_rounds_ = 0;
};

}  // namespace retia
