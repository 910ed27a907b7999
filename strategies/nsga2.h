#pragma once

#include "retia/engine/base/pareto.h"
#include "retia/engine/io/option.h"
#include "retia/strategies/learner.h"
#include "retia/strategies/proposals.h"

namespace retia {

/// The options of Nsga2Strategy.
struct Nsga2Options {
  int64_t population = 40;             ///< number of parents, and of children per generation, ≥ 2
  double crossover_probability = 0.9;  ///< probability that a child has two parents
  double mutation_probability = 0.1;   ///< probability that a decision is drawn anew
  int64_t tries = 500;                 ///< attempts to breed a new child, ≥ 1
};
inline std::vector<Option> declared(Nsga2Options& o) {
  return {
      option("population", o.population, Range{2, 1e9}, "parents, and children of a generation"),
      option("crossover_probability", o.crossover_probability, Range{0, 1},
             "probability that a child has two parents"),
      option("mutation_probability", o.mutation_probability, Range{0, 1},
             "probability that a decision is drawn anew"),
      option("tries", o.tries, Range{1, 1e9}, "attempts to breed a new child"),
  };
}

/// NSGA-II (Deb et al. 2002), for several objectives. Parents are chosen by tournaments of two, won
/// by the lower Pareto front, then by the larger crowding distance; children cross them uniformly
/// and are mutated; the next parents are the best of both generations in the same order, whole
/// fronts first. The first generation is random. No architecture is proposed twice; failed trials
/// have no children. A generation waits until the one before has been told.
class Nsga2Strategy final : public Strategy, public Learner {
 public:
  /// Proposes architectures of `domain`. `seed`: seed of founders, tournaments, crossover and
  /// mutation. Throws, naming the option, where one is out of range.
  Nsga2Strategy(const Domain& domain, const Nsga2Options& options, uint64_t seed);

  Answer ask() override;
  void tell(const Proposal& proposal, const Outcome& outcome) override;
  void learn(const Architecture& architecture, const Outcome& outcome) override;
  Json state() const override;
  void load_state(const Json& state) override;

 private:
  struct Member {
    Architecture architecture;
    Objectives objectives;
    size_t front = 0;
    double crowding = 0;
  };
  static std::vector<Member> survivors(std::vector<Member> members, size_t n);
  void begin_generation();
  Architecture child();
  const Architecture& winner();
  Json to_json(const std::vector<Member>& members) const;
  std::vector<Member> members_from_json(const Json& json) const;

  Proposals proposals_;
  Nsga2Options options_;
  Random random_;
  std::vector<Member> parents_, children_;
  int64_t n_asked_ = 0, n_told_ = 0;  // counts in this generation
};

}  // namespace retia
