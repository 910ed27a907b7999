#pragma once

#include "engine/random.h"
#include "mutators/one_shot/alpha_mutator.h"

namespace retia {

struct GumbelOptions {
  AlphaOptions alphas = {};
  double first_temperature = 10;  ///< tau at the beginning, > 0
  double last_temperature = 0.1;  ///< and towards the end, linear between, > 0
  bool hard = true;               ///< one candidate runs; otherwise all, blended
};

/// GDAS (Dong and Yang, CVPR 2019). With pi_i = log softmax(alpha_i) and Gumbel noise
/// g_ik = -log(-log u), u ~ U(0, 1), drawn anew at each step,
///   h_i = softmax((pi_i + g_i) / tau).
/// Hard: only the candidate(s) of the largest h run, with the weight 1 forward and h backward
/// (straight-through). Soft: all run, blended by h (Gumbel-softmax, Jang et al., ICLR 2017).
class GumbelMutator final : public AlphaMutator {
 public:
  GumbelMutator(const torch::nn::Module& model, const GumbelOptions& options);

  Architecture sample_search() override;

  /// `[n chosen]`; undefined for architectures that it has not sampled last.
  at::Tensor weights(const Mutable& choice) const override;

  void set_progress(double progress) override;
  double temperature() const { return temperature_; }

  Json state() const override { return {{"random", random_.state()}}; }
  void load_state(const Json& state) override { random_.set_state(state.at("random")); }

 private:
  struct Sample {
    Decision decision;
    at::Tensor noise;  // g_i, [n candidates]
  };
  GumbelOptions options_;
  Random random_;
  double temperature_;
  std::map<std::string, Sample> samples_;
};

}  // namespace retia
