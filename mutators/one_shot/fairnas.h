#pragma once

#include "engine/mutator.h"
#include "engine/random.h"

namespace retia {

struct FairnasMutatorOptions {
  uint64_t seed = 0;
};

/// FairNAS (Chu, Zhang and Xu, ICCV 2021), strict fairness: of m consecutive paths each candidate
/// of a choice is in exactly one, as every choice goes through a permutation of its m candidates.
/// So all of them are trained equally often at every moment between two rounds.
class FairnasMutator final : public Mutator {
 public:
  /// Throws unless every choice keeps one of the same number of candidates.
  FairnasMutator(const torch::nn::Module& model, const FairnasMutatorOptions& options);

  /// m: paths of a round.
  int64_t n_paths() const { return n_paths_; }

  /// The next path of the round.
  Architecture sample_search() override;
  /// A path drawn uniformly, which the next round is not changed by: the method searches with
  /// trained weights, by trials.
  Architecture sample_final() const override;

  Json state() const override;
  void load_state(const Json& state) override;

 private:
  Random random_;
  int64_t n_paths_ = 1;
  std::vector<std::vector<int64_t>> round_;  // per mutable its candidates, the next one last
};

}  // namespace retia
