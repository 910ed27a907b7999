#pragma once

#include "trainers/algorithms.h"
#include "trainers/one_shot/penalty.h"
#include "trainers/optimizer.h"

namespace retia {

struct PDartsOptions {
  std::vector<int64_t> extra_layers = {0, 6, 12};  ///< of each stage, over the option `layers`
  std::vector<int64_t> dropped = {3,
                                  2};  ///< candidates of each choice, after each stage but the last
  double warmup = 0.4;                 ///< part of each stage before alphas are trained
  AdamOptions alpha_optimizer = {.lr = 6e-4, .beta1 = 0.5, .beta2 = 0.999, .weight_decay = 1e-3};
  PenaltyOptions penalty = {};  ///< in each stage of what costs its network
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(PDartsOptions, extra_layers, dropped, warmup,
                                                alpha_optimizer, penalty)

/// Progressive DARTS (Chen et al., ICCV 2019): DARTS in stages. The search network grows deeper
/// from stage to stage (5, 11 and 17 cells in the paper), and the candidates of each choice with
/// the smallest p = softmax(alpha) are dropped between two (8, 5 and 3 remain), so that memory
/// holds. Each stage begins with new weights and alphas. Without the paper's dropout on identities.
/// For spaces with an option `layers`.
Search make_p_darts(const PDartsOptions& options, const SearchSetup& setup, uint64_t seed);

}  // namespace retia
