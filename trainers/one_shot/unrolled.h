#pragma once

#include <functional>
#include <span>
#include <vector>

#include "retia/trainers/gradients.h"

namespace retia {

/// The inputs of a gradient through one step of the weights.
struct Unrolled {
  /// Returns the gradients of a loss in `of`, at the present weights and alphas.
  using GradientsOf = std::function<Gradients(std::span<const at::Tensor> of)>;
  GradientsOf train_gradients;      ///< gradients of L_train
  GradientsOf valid_gradients;      ///< gradients of L_valid
  std::vector<at::Tensor> weights;  ///< w, moved and restored
  std::vector<at::Tensor> alphas;   ///< alpha
  /// Returns the step d that the weight optimizer would take on given gradients, divided by the
  /// learning rate.
  std::function<std::vector<at::Tensor>(const Gradients&)> direction;
  double xi = 0;  ///< learning rate of that step
};

/// Returns d L_valid(w - xi d(grad_w L_train(w, alpha)), alpha) / d alpha (Liu et al., ICLR 2019,
/// eq. 7 and 8). With w' = w - xi d and v = grad_w' L_valid(w', alpha) it is
///   grad_alpha L_valid(w') - xi (grad_alpha L_train(w+) - grad_alpha L_train(w-)) / (2 eps),
///   w+- = w +- eps v,  eps = 0.01 / |v|.
/// Weights are moved in place and restored to their exact bits.
Gradients unrolled_gradients(const Unrolled& problem);

}  // namespace retia
