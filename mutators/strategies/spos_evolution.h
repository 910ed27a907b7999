#pragma once

#include <vector>

#include "mutators/strategies/proposals.h"

namespace retia {

struct SposEvolutionOptions {
  int64_t population = 50;            ///< architectures of a round, ≥ 1
  int64_t parents = 10;               ///< the best of all so far, which breed, ≥ 1
  int64_t crossovers = 25;            ///< children of two parents a round, ≥ 0
  int64_t mutations = 25;             ///< children of one parent a round, ≥ 0
  double mutation_probability = 0.1;  ///< that a decision of such a child is drawn anew
  int64_t rounds = 20;                ///< ≥ 1
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(SposEvolutionOptions, population, parents,
                                                crossovers, mutations, mutation_probability, rounds)

/// The evolution of Single Path One-Shot (Guo et al., ECCV 2020, algorithm 1). The first round is
/// random; each later one has children of the best: crossovers take every decision from one of two
/// parents with probability 1/2, mutations draw each anew with mutation_probability; what remains
/// of the population is random. No architecture is proposed twice; a child that is not new is bred
/// again, ten times the wanted number at most. Ends after `rounds`, or when nothing is left, so
/// also in spaces smaller than a population.
class SposEvolutionStrategy final : public Strategy {
 public:
  SposEvolutionStrategy(const Domain& domain, const SposEvolutionOptions& options, uint64_t seed);

  Answer ask() override;
  /// What has not succeeded has no children.
  void tell(const Proposal& proposal, const Outcome& outcome) override;
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
  std::vector<Parent> parents_;  // the best first
  std::vector<Proposal> round_;  // to propose
  size_t next_ = 0;              // in round_
  int64_t n_told_ = 0, n_rounds_ = 0;
};

}  // namespace retia
