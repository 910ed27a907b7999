#pragma once

#include <deque>

#include "retia/engine/io/option.h"
#include "retia/strategies/learner.h"
#include "retia/strategies/proposals.h"

namespace retia {

/// The options of EvolutionStrategy.
struct EvolutionOptions {
  int64_t population = 100;  ///< ≥ 1
  int64_t sample = 25;  ///< size of a tournament, drawn without replacement; in 1 … population
  double mutation_probability = 0.05;  ///< probability that a decision is drawn anew
  bool crossover = false;              ///< children have two parents
  OnFailure on_failure = OnFailure::Ignore;
  Duplicates duplicates = Duplicates::Skip;
  int64_t tries = 500;  ///< attempts to breed a new child, ≥ 1
};
inline std::vector<Option> declared(EvolutionOptions& o) {
  return {
      option("population", o.population, Range{1, 1e9}, "architectures of the population"),
      option("sample", o.sample, Range{1, 1e9},
             "architectures of a tournament, at most the population"),
      option("mutation_probability", o.mutation_probability, Range{0, 1},
             "probability that a decision is drawn anew"),
      option("crossover", o.crossover, "children have two parents"),
      option("on_failure", o.on_failure, "what a failed trial counts as"),
      option("duplicates", o.duplicates, "architectures that were proposed before"),
      option("tries", o.tries, Range{1, 1e9}, "attempts to breed a new child"),
  };
}

/// Regularized evolution (Real et al., AAAI 2019). It begins with a random population; then the
/// winner of a tournament (the best of a random sample) has a mutated child, and the oldest member
/// is removed, however good it is. With crossover, a second tournament chooses a second parent, and
/// each decision comes from either parent before mutation. Failed founders are replaced where
/// failures are ignored. Children that were proposed before are bred again. Any number of trials
/// may run at once.
class EvolutionStrategy final : public Strategy, public Learner {
 public:
  /// Proposes architectures of `domain`. `seed`: seed of founders, tournaments and mutations.
  /// Throws, naming the option, where one is out of range.
  EvolutionStrategy(const Domain& domain, const EvolutionOptions& options, uint64_t seed);

  Answer ask() override;
  void tell(const Proposal& proposal, const Outcome& outcome) override;
  void learn(const Architecture& architecture, const Outcome& outcome) override;
  Json state() const override;
  void load_state(const Json& state) override;

  /// A member of the population.
  struct Member {
    Architecture architecture;  ///< canonical
    double reward = 0;          ///< the first objective; minus infinity: a failed trial
  };
  /// Returns the current population, the oldest member first.
  const std::deque<Member>& population() const { return population_; }

 private:
  Architecture child();
  const Architecture& winner();

  Proposals proposals_;
  EvolutionOptions options_;
  Random random_;
  std::deque<Member> population_;
  int64_t n_pending_ = 0;
};

}  // namespace retia
