#pragma once

#include "engine/random.h"
#include "mutators/one_shot/alpha_mutator.h"

namespace retia {

/// ProxylessNAS (Cai, Zhu and Han, ICLR 2019). p_i = softmax(alpha_i). A step that trains weights
/// runs one path, sampled by p. A step that trains alphas samples two candidates j of each choice
/// by p, without replacement, renormalises p over the two, and opens one of their binary gates
/// g_j in {0, 1} by it; both run, sum_j g_j o_j(x) is the output, and
///   dL/dalpha_i ~ sum_j dL/dg_j p_j (delta_ij - p_i)  over the two.
/// After the step both alphas are shifted alike, so that the probability of the pair, and of every
/// candidate that was not sampled, stays what it was.
class ProxylessMutator final : public AlphaMutator {
 public:
  ProxylessMutator(const torch::nn::Module& model, const AlphaOptions& options);

  Architecture sample_search() override;
  Architecture sample_architecture_step() override;
  void end_architecture_step() override;

  /// The gates of the pair, `[2]`; undefined in a step that trains weights.
  at::Tensor weights(const Mutable& choice) const override;

  Json state() const override { return {{"random", random_.state()}}; }
  void load_state(const Json& state) override { random_.set_state(state.at("random")); }

 private:
  struct Pair {
    Decision decision;
    int64_t open = 0;  // which of the two gates
    double mass = 0;   // log(exp alpha_a + exp alpha_b)
  };
  Random random_;
  std::map<std::string, Pair> pairs_;
};

}  // namespace retia
