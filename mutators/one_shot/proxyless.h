#pragma once

#include "engine/random.h"
#include "mutators/one_shot/alpha_mutator.h"

namespace retia {

/// ProxylessNAS (Cai, Zhu and Han, ICLR 2019). p_i = softmax(alpha_i). A step that trains weights
/// runs one path, sampled by p. A step that trains alphas opens one of the binary gates
/// g_j in {0, 1} of each choice, sum_j g_j o_j(x) is its output, and
///   dL/dalpha_i ~ sum_j dL/dg_j p_j (delta_ij - p_i).
/// With two paths, j are two candidates that are sampled by p without replacement, and p is
/// renormalised over them; both run. After the step their alphas are shifted alike, so that the
/// probability of the pair, and of every candidate that was not sampled, stays what it was.
/// With one path, j are all candidates of a layer choice. The one sampled by p runs, the others in
/// the backward pass, without a graph (see gated.h). Input choices, whose inputs are made
/// elsewhere, join two all the same.
class ProxylessMutator final : public AlphaMutator {
 public:
  /// paths: in memory when alphas are trained, 1 or 2.
  ProxylessMutator(const torch::nn::Module& model, const AlphaOptions& options, int64_t paths = 2);

  Architecture sample_search() override;
  Architecture sample_architecture_step() override;
  void end_architecture_step() override;

  /// The gates of the pair, `[2]`; undefined in a step that trains weights, or with one path.
  at::Tensor weights(const Mutable& choice) const override;
  /// Those of all candidates, in a step that trains alphas with one path.
  at::Tensor gates(const Mutable& choice) const override;

  Json state() const override { return {{"random", random_.state()}}; }
  void load_state(const Json& state) override { random_.set_state(state.at("random")); }

 private:
  struct Pair {
    Decision decision;
    int64_t open = 0;  // which of the two gates
    double mass = 0;   // log(exp alpha_a + exp alpha_b)
  };
  bool gates_all(const Mutable& choice) const;

  Random random_;
  int64_t paths_;
  std::map<std::string, Pair> pairs_;
  std::map<std::string, Decision> open_;  // of choices whose candidates all have gates
};

}  // namespace retia
