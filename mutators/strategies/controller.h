#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "engine/json.h"
#include "engine/random.h"
#include "mutators/strategies/factors.h"

namespace retia {

/// What a controller says of some decisions: scalars in float64, differentiable in its parameters.
struct ControllerTerms {
  at::Tensor log_prob;  ///< of the decisions that are made
  at::Tensor entropy;   ///< of each of them, given those before it, summed
};

/// A policy that decides one categorical variable after the other, each by what was decided before
/// (Zoph and Le, ICLR 2017):
///   h_t = LSTM(x_t, h_{t-1}),   p_t = softmax(W_t h_t),   x_{t+1} = E_t[d_t],
/// trained by Adam (Kingma and Ba, ICLR 2015). x_1 = 0, and so is what follows a decision that is
/// not made. W begins at zero, so that every decision is as likely at first.
class Controller {
 public:
  /// n_categories: of each variable. size: of the LSTM, ≥ 1.
  Controller(const std::vector<int64_t>& n_categories, int64_t size, uint64_t seed);

  /// A category for each variable, drawn in turn.
  Categories sample(Random& random) const;

  ControllerTerms terms(const Categories& decided) const;

  /// A step of Adam up the gradient of `objective`, a scalar made of terms().
  void ascend(const at::Tensor& objective, double lr);

  const std::vector<at::Tensor>& parameters() const { return parameters_; }

  Json state() const;
  void load_state(const Json& state);

 private:
  struct Walk;
  at::Tensor add(std::vector<int64_t> sizes, double range, Random& random);
  /// log p_t, `[n categories]`, of the next variable.
  at::Tensor log_probabilities(Walk& walk) const;
  void decide(Walk& walk, std::optional<int64_t> category) const;

  std::vector<at::Tensor> heads_, embeddings_;  // by variable
  at::Tensor of_input_, of_hidden_, bias_, zero_;
  std::vector<at::Tensor> parameters_;
  std::vector<at::Tensor> mean_, square_;  // Adam's, by parameter
  int64_t n_steps_ = 0;
};

}  // namespace retia
