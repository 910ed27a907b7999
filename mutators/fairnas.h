#pragma once

#include "retia/engine/base/random.h"
#include "retia/engine/mutables/mutator.h"

namespace retia {

/// The options of FairnasMutator.
struct FairnasMutatorOptions {
  uint64_t seed = 0;  ///< seed of the permutations
};

/// FairNAS (Chu, Zhang and Xu, ICCV 2021), strict fairness: in each round of m paths, every choice
/// goes through a permutation of its m candidates. So each candidate is in exactly one path, and
/// all candidates are trained equally often after every round.
class FairnasMutator final : public Mutator {
 public:
  /// Throws unless every choice keeps one candidate and all choices have the same number of
  /// candidates.
  FairnasMutator(const torch::nn::Module& model, const FairnasMutatorOptions& options);

  /// Returns m, the number of paths in a round.
  int64_t n_paths() const { return n_paths_; }

  /// Returns the next path of the round.
  Architecture sample_search() override;
  /// Returns a path drawn uniformly, without affecting the next round. The method itself finds its
  /// architecture afterwards, by multi-trial search with the trained weights.
  Architecture sample_final() const override;

  Json state() const override;
  void load_state(const Json& state) override;

 private:
  Random random_;
  int64_t n_paths_ = 1;
  // Per mutable, the remaining candidates of the round; the next one is last.
  std::vector<std::vector<int64_t>> round_;
};

}  // namespace retia
