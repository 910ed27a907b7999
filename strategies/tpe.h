#pragma once

#include "retia/engine/io/option.h"
#include "retia/strategies/factors.h"
#include "retia/strategies/learner.h"
#include "retia/strategies/proposals.h"

namespace retia {

/// The density of categories in a group of architectures (the good ones, or the rest), by counting.
class CategoryDensity {
 public:
  /// `prior`: added to the count of every category, > 0.
  CategoryDensity(const Factors& factors, double prior);

  /// Adds `times`, which may be negative, to the count of each category that is set.
  void add(const Categories& categories, int64_t times = 1);

  /// Returns the density (n_c + prior) / sum over categories (n_c + prior) of one factor.
  double at(size_t factor, int64_t category) const;

  /// Returns one category per factor, drawn independently.
  Categories sample(Random& random) const;

  /// Returns the counts n_c, [factor][category].
  const std::vector<std::vector<int64_t>>& counts() const { return counts_; }
  /// Sets the counts, as counts() returned them.
  void set_counts(std::vector<std::vector<int64_t>> counts) { counts_ = std::move(counts); }

 private:
  double prior_;
  std::vector<std::vector<int64_t>> counts_;  // [factor][category]
};

/// The options of TpeStrategy.
struct TpeOptions {
  int64_t startup = 20;     ///< random architectures at the beginning, ≥ 1
  int64_t candidates = 24;  ///< draws from the density of good architectures per proposal, ≥ 1
  double gamma = 0.25;      ///< the best ⌈gamma √n⌉ of n architectures are good, > 0
  int64_t most_good = 25;   ///< largest number of good architectures, ≥ 1
  double prior = 1;         ///< weight of the uniform prior, in observations, > 0
  OnFailure on_failure = OnFailure::Ignore;
  Duplicates duplicates = Duplicates::Skip;
  int64_t tries = 100;  ///< sets of candidates to try until one is new, ≥ 1
};
inline std::vector<Option> declared(TpeOptions& o) {
  return {
      option("startup", o.startup, Range{1, 1e9}, "random architectures at the beginning"),
      option("candidates", o.candidates, Range{1, 1e9},
             "draws from the density of good architectures per proposal"),
      option("gamma", o.gamma, Range::above(0),
             "the best gamma sqrt(n) of n architectures are good"),
      option("most_good", o.most_good, Range{1, 1e9}, "most architectures that are good"),
      option("prior", o.prior, Range::above(0), "weight of the uniform prior, in observations"),
      option("on_failure", o.on_failure, "what a failed trial counts as"),
      option("duplicates", o.duplicates, "architectures that were proposed before"),
      option("tries", o.tries, Range{1, 1e9}, "sets of candidates to try until one is new"),
  };
}

/// The tree-structured Parzen estimator (Bergstra et al., "Algorithms for Hyper-Parameter
/// Optimization", NeurIPS 2011) for categorical variables. With l the density of the decisions of
/// good architectures and g that of the rest, it draws candidates from l and proposes the one with
/// the largest
///   prod over decisions l(d) / g(d),
/// which maximises the expected improvement. Decisions that an architecture does not use count in
/// neither density.
class TpeStrategy final : public Strategy, public Learner {
 public:
  /// Proposes architectures of `domain`. `seed`: seed of the start and of the candidates. Throws,
  /// naming the option, where one is out of range.
  TpeStrategy(const Domain& domain, const TpeOptions& options, uint64_t seed);

  Answer ask() override;
  void tell(const Proposal& proposal, const Outcome& outcome) override;
  void learn(const Architecture& architecture, const Outcome& outcome) override;
  Json state() const override;
  void load_state(const Json& state) override;

 private:
  struct Observation {
    Categories categories;
    double reward = 0;
  };
  std::optional<Proposal> suggest();

  Proposals proposals_;
  Factors factors_;
  TpeOptions options_;
  Random random_;
  CategoryDensity all_;            // of all observations
  std::vector<Observation> best_;  // at most most_good, the best first
  int64_t n_observed_ = 0;
};

}  // namespace retia
