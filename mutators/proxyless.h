#pragma once

#include "retia/engine/base/random.h"
#include "retia/mutators/alpha_mutator.h"

namespace retia {

/// ProxylessNAS (Cai, Zhu and Han, ICLR 2019), with p_i = softmax(alpha_i). A step that trains
/// weights runs one path sampled from p. A step that trains alphas opens exactly one of the binary
/// gates g_j in {0, 1} of each choice, whose output is sum_j g_j o_j(x), and uses
///   dL/dalpha_i ~ sum_j dL/dg_j p_j (delta_ij - p_i).
/// Two paths: j runs over two candidates, sampled from p without replacement, with p renormalised
/// over them; both run. After the step both alphas are shifted by the same amount, so that the
/// probability of the pair, and of every other candidate, is unchanged.
/// One path: j runs over all candidates of a layer choice. The candidate sampled from p runs
/// forward; the other candidates run only in the backward pass, without an autograd graph (see
/// gated.h). Input choices use two paths in either case, since their inputs are computed elsewhere.
class ProxylessMutator final : public AlphaMutator {
 public:
  /// `paths`: number of paths in memory while alphas are trained, 1 or 2.
  ProxylessMutator(const torch::nn::Module& model, const AlphaOptions& options, int64_t paths = 2);

  Architecture sample_search() override;
  Architecture sample_architecture_step() override;
  void end_architecture_step() override;

  /// Returns the gates of the pair, `[2]`; undefined in a step that trains weights, and with one
  /// path.
  at::Tensor weights(const Mutable& choice) const override;
  /// Returns the gates of all candidates in a step that trains alphas with one path; else
  /// undefined.
  at::Tensor gates(const Mutable& choice) const override;

  Json state() const override { return {{"random", random_.state()}}; }
  void load_state(const Json& state) override { random_.set_state(state.at("random")); }

 private:
  struct Pair {
    Decision decision;
    int64_t open = 0;  // which of the two gates is open
    double mass = 0;   // log(exp alpha_a + exp alpha_b)
  };
  bool gates_all(const Mutable& choice) const;

  Random random_;
  int64_t paths_;
  std::map<std::string, Pair> pairs_;
  // Open candidate of each choice whose candidates all have gates.
  std::map<std::string, Decision> open_;
};

}  // namespace retia
