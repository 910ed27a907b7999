#pragma once

#include "retia/engine/base/random.h"
#include "retia/mutators/alpha_mutator.h"

namespace retia {

/// The options of sampling by GDAS.
struct GdasMutatorOptions {
  AlphaOptions alphas = {};       ///< options of the alphas; the seed serves the noise too
  double first_temperature = 10;  ///< temperature tau at the beginning, > 0
  double last_temperature = 0.1;  ///< tau at the end, > 0; linear in between
  bool hard = true;               ///< runs one candidate; false: runs and blends all
};

/// GDAS (Dong and Yang, CVPR 2019). With pi_i = log softmax(alpha_i), and Gumbel noise drawn
/// anew at each step,
///   g_ik = -log(-log u),  u ~ U(0, 1),
///   h_i = softmax((pi_i + g_i) / tau).
/// Hard: only the n_chosen candidates with the largest h run, with the weight 1 in the forward pass
/// and the gradient of h (straight-through). Soft: all run, blended by h (Gumbel-softmax, Jang et
/// al., ICLR 2017).
class GdasMutator final : public AlphaMutator {
 public:
  /// Throws where a temperature is not above 0, and on an input choice of any number of inputs.
  GdasMutator(const torch::nn::Module& model, const GdasMutatorOptions& options);

  Architecture sample_search() override;

  /// Returns the weights, `[n chosen]`; undefined unless the current decision is the one sampled
  /// last.
  at::Tensor weights(const Mutable& choice) const override;

  void set_progress(double progress) override;
  /// Returns tau at the current progress.
  double temperature() const { return temperature_; }

  Json state() const override { return {{"random", random_.state()}}; }
  void load_state(const Json& state) override { random_.set_state(state.at("random")); }

 private:
  struct Sample {
    Decision decision;
    at::Tensor noise;  // g_i, `[n candidates]`
  };
  GdasMutatorOptions options_;
  Random random_;
  double temperature_;
  std::map<std::string, Sample> samples_;
};

}  // namespace retia
