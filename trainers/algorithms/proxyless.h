#pragma once

#include "retia/trainers/algorithms.h"
#include "retia/trainers/one_shot/bilevel_trainer.h"

namespace retia {

/// The options of a search by ProxylessNAS.
struct ProxylessOptions {
  double warmup = 0.17;  ///< fraction of the search before alphas are trained: 25 of 145 epochs
  int64_t paths = 2;     ///< paths in memory in a step that trains alphas, 1 or 2
  AdamOptions alpha_optimizer = {.lr = 1e-3, .beta1 = 0, .beta2 = 0.999, .weight_decay = 0};
  PenaltyOptions penalty = {};
};
inline std::vector<Option> declared(ProxylessOptions& o) {
  return {
      option("warmup", o.warmup, Range::from_to_below(0, 1),
             "fraction of the search before alphas are trained"),
      option("paths", o.paths, Range{1, 2}, "paths in memory in a step that trains alphas"),
      option("alpha_optimizer", o.alpha_optimizer, "Adam, which trains the alphas"),
      option("penalty", o.penalty, "cost penalty in the loss of architecture steps"),
  };
}

/// Makes a search by ProxylessNAS (Cai et al., ICLR 2019): a ProxylessMutator, trained by a
/// BilevelTrainer.
Search make_proxyless(const ProxylessOptions& options, const SearchSetup& setup, uint64_t seed);

}  // namespace retia
