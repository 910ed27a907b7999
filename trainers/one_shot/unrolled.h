#pragma once

#include <functional>
#include <span>
#include <vector>

#include "trainers/gradients.h"

namespace retia {

/// What the gradient through one step of the weights is made of.
struct Unrolled {
  /// Of L_train and L_valid, at the present weights and alphas.
  using GradientsOf = std::function<Gradients(std::span<const at::Tensor> of)>;
  GradientsOf train_gradients, valid_gradients;
  std::vector<at::Tensor> weights, alphas;
  /// The step d that the weight optimiser would take on given gradients, over its learning rate.
  std::function<std::vector<at::Tensor>(const Gradients&)> direction;
  double xi = 0;  ///< the learning rate of that step
};

/// d L_valid(w - xi d(grad_w L_train(w, alpha)), alpha) / d alpha (Liu et al., ICLR 2019, eq. 7 and
/// 8). With w' = w - xi d and v = grad_w' L_valid(w', alpha) it is
///   grad_alpha L_valid(w') - xi (grad_alpha L_train(w+) - grad_alpha L_train(w-)) / (2 eps),
///   w+- = w +- eps v,  eps = 0.01 / |v|.
/// Weights are moved in place and have the bits they had at the end.
Gradients unrolled_gradients(const Unrolled& problem);

}  // namespace retia
