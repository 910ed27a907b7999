#pragma once

#include <functional>

#include "retia/engine/base/random.h"
#include "retia/engine/io/option.h"
#include "retia/mutators/decision_distribution.h"
#include "retia/mutators/policy_mutator.h"

namespace retia {

/// The options of the controller of ENAS.
struct EnasMutatorOptions {
  int64_t lstm_size = 64;      ///< width of the hidden state, ≥ 1
  int64_t lstm_layers = 1;     ///< ≥ 1
  double temperature = 1;      ///< divides the logits, > 0
  double tanh_constant = 1.5;  ///< c in logits c tanh(q / temperature); 0: unbounded
  /// Number added to the logits of candidates whose names contain "conv", and subtracted from all
  /// other logits, of layer choices in reduction cells (labels containing "reduce").
  double branch_bias = 0.25;
  /// Adds an LSTM step at the end of each scope whose name a later input has (a node of a cell);
  /// the state after it is the anchor of that input. Used in the paper's micro search.
  bool cell_exit_extra_step = false;
  /// Target probability that an input of a choice of any number is chosen, in (0, 1).
  double skip_target = 0.4;
  uint64_t seed = 0;  ///< seed of the initial weights and of sampling
};
inline std::vector<Option> declared(EnasMutatorOptions& o) {
  return {
      option("lstm_size", o.lstm_size, Range{1, 1e6}, "width of the hidden state"),
      option("lstm_layers", o.lstm_layers, Range{1, 1e3}, "layers of the LSTM"),
      option("temperature", o.temperature, Range::above(0), "divisor of the logits"),
      option("tanh_constant", o.tanh_constant, Range{0}, "bound of the logits; 0: none"),
      option("branch_bias", o.branch_bias, Range{},
             "bias of the logits towards convolutions in reduction cells"),
      option("cell_exit_extra_step", o.cell_exit_extra_step,
             "a step of the LSTM where a node of a cell ends"),
      option("skip_target", o.skip_target, Range::between(0, 1),
             "target probability that an input of a choice of any number is chosen"),
  };
}

/// The controller of ENAS (Pham et al., ICML 2018): an LSTM that decides the mutables one after the
/// other, h_t = LSTM(x_t, h_{t-1}), starting from a learnt x_1:
///   layer or value choice: q = W h_t; the next x is the embedding of the chosen candidate;
///   input choice:          q_k = v tanh(W_1 a_k + W_2 h_t), where the anchor a_k is the hidden
///                          state after the step that decided input k; the next x is
///                          sum of the chosen a_k / (1 + their number).
/// The logits, bounded as the options say, define a DecisionDistribution. Layer choices with equal
/// candidate names share W and embeddings; so do value choices with equal values.
///
/// The anchor of input k comes from the last earlier mutable that is under the scope, or has the
/// label, of the input's name, looked up in the scope of the choice and then in the scopes around
/// it; else from the layer choice that feeds the input. An input that no mutable decides (such as
/// the stem) has an LSTM step of its own as anchor, once per name. With cell_exit_extra_step, the
/// anchor of a scope is the state after one extra step, which follows the last mutable in the scope
/// and reads its decision.
///
/// The penalty is sum KL(p || skip_target) over the inputs of choices of any number, where p is the
/// probability that the input is sampled.
class EnasMutator final : public PolicyMutator {
 public:
  /// Throws where an option is out of range. Initial weights are uniform in ±0.1, with the device
  /// and dtype of the model's weights.
  EnasMutator(const torch::nn::Module& model, const EnasMutatorOptions& options);

  Architecture sample_search() override;
  /// Returns the likeliest decision of each mutable, given the likeliest decisions before it.
  Architecture sample_final() const override;
  PolicyTerms terms(const Architecture& architecture) const override;

  Json state() const override;
  void load_state(const Json& state) override;

 private:
  /// The state of the LSTM on its way through the mutables.
  struct Walk;
  /// W and embeddings of a layer or value choice, `[n candidates, lstm_size]` each.
  struct Head {
    at::Tensor logits, embedding;
  };
  using Decide = std::function<Decision(const Mutable&, const DecisionDistribution&)>;

  at::Tensor draw_parameter(const std::string& name, std::vector<int64_t> sizes,
                            const at::TensorOptions& like);
  void find_anchors();
  /// Runs the LSTM over all mutables; `decide` makes each decision.
  Architecture walk(const Decide& decide) const;
  void step(Walk& walk) const;
  at::Tensor candidate_logits(const Mutable& choice, const at::Tensor& hidden) const;
  at::Tensor input_logits(const at::Tensor& anchors, const at::Tensor& hidden) const;
  at::Tensor bounded(const at::Tensor& logits) const;

  EnasMutatorOptions options_;
  Random random_;
  at::Tensor start_;
  // Per layer: weights of input and of hidden state.
  std::vector<std::pair<at::Tensor, at::Tensor>> lstm_;
  // Keyed by kind and names of the candidates.
  std::map<std::pair<MutableKind, std::vector<std::string>>, Head> heads_;
  at::Tensor attend_anchor_, attend_hidden_, attend_;
  // Per mutable and input, the index of its anchor among the states. States are ordered: after each
  // mutable, then after ends of scopes, then those of undecided inputs.
  std::vector<std::vector<size_t>> anchors_;
  std::vector<bool> ends_scope_;  // per mutable: whether an extra step follows
  size_t n_states_ = 0;
};

}  // namespace retia
