#pragma once

#include <functional>

#include "engine/random.h"
#include "mutators/one_shot/decision_distribution.h"
#include "mutators/one_shot/policy_mutator.h"

namespace retia {

struct EnasMutatorOptions {
  int64_t lstm_size = 64;      ///< of the hidden state, ≥ 1
  int64_t lstm_layers = 1;     ///< ≥ 1
  double temperature = 1;      ///< divides logits, > 0
  double tanh_constant = 1.5;  ///< c of logits c tanh(q / temperature); 0: not bounded
  /// Added to the logits of layer choices in reduction cells (labels that contain "reduce") of
  /// candidates whose names contain "conv", and subtracted from those of the others.
  double branch_bias = 0.25;
  /// Whether the LSTM makes a step of its own where a scope ends that later inputs are named by (a
  /// node of a cell); the state after it is their anchor. Of the paper's micro search.
  bool cell_exit_extra_step = false;
  double skip_target = 0.4;  ///< wanted probability that an input of any number is chosen, 0 to 1
  uint64_t seed = 0;         ///< of the initial weights and of the sampled architectures
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(EnasMutatorOptions, lstm_size, lstm_layers,
                                                temperature, tanh_constant, branch_bias,
                                                cell_exit_extra_step, skip_target)

/// The controller of ENAS (Pham et al., ICML 2018): an LSTM that decides the mutables one after the
/// other, h_t = LSTM(x_t, h_{t-1}), from x_1, which is learnt:
///   layer choice, value choice
///                 q = W h_t; the next x is the embedding of the candidate chosen;
///   input choice  q_k = v tanh(W_1 a_k + W_2 h_t), where anchor a_k is the hidden state that
///                 decided input k; the next x is sum of the chosen a_k / (1 + their number).
/// Logits are bounded as the options say and make a DecisionDistribution. Layer choices of equal
/// candidate names share their W and embeddings, and so do value choices of equal values.
///
/// Input k of an input choice was decided by the last earlier mutable under the scope, or of the
/// label, that has the input's name, looked for in the choice's scope and then in those around it;
/// else by the layer choice that feeds it. What nothing decided (the stem) is marked by an LSTM
/// step of its own, once for each name. With cell_exit_extra_step, what the last mutable under a
/// scope decided is the state after one more step, which reads what was decided last.
///
/// The penalty is sum KL(p || skip_target) over the inputs of choices of any number, p being the
/// probability that the input is sampled.
class EnasMutator final : public PolicyMutator {
 public:
  /// Throws where an option is out of its range. Weights are uniform in ±0.1, on the device and of
  /// the dtype of the model's.
  EnasMutator(const torch::nn::Module& model, const EnasMutatorOptions& options);

  Architecture sample_search() override;
  /// The likeliest candidates, decision by decision.
  Architecture sample_final() const override;
  PolicyTerms terms(const Architecture& architecture) const override;

  Json state() const override;
  void load_state(const Json& state) override;

 private:
  /// What the LSTM knows while it goes through the mutables.
  struct Walk;
  /// W and embeddings of layer and value choices, `[n candidates, lstm_size]`.
  struct Head {
    at::Tensor logits, embedding;
  };
  using Decide = std::function<Decision(const Mutable&, const DecisionDistribution&)>;

  at::Tensor draw_parameter(const std::string& name, std::vector<int64_t> sizes,
                            const at::TensorOptions& like);
  void find_anchors();
  /// Goes through all mutables, deciding each by `decide`.
  Architecture walk(const Decide& decide) const;
  void step(Walk& walk) const;
  at::Tensor candidate_logits(const Mutable& choice, const at::Tensor& hidden) const;
  at::Tensor input_logits(const at::Tensor& anchors, const at::Tensor& hidden) const;
  at::Tensor bounded(const at::Tensor& logits) const;

  EnasMutatorOptions options_;
  Random random_;
  at::Tensor start_;
  std::vector<std::pair<at::Tensor, at::Tensor>> lstm_;  // of inputs and of hidden states, a layer
  // By kind and names of candidates.
  std::map<std::pair<MutableKind, std::vector<std::string>>, Head> heads_;
  at::Tensor attend_anchor_, attend_hidden_, attend_;
  // Per mutable and input: of which state it is. States are those after each mutable, then those at
  // ends of scopes, then marks.
  std::vector<std::vector<size_t>> anchors_;
  std::vector<bool> ends_scope_;  // per mutable: whether it has an extra step
  size_t n_states_ = 0;
};

}  // namespace retia
