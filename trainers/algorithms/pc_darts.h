#pragma once

#include "retia/trainers/algorithms.h"
#include "retia/trainers/one_shot/bilevel_trainer.h"

namespace retia {

/// The options of a search by PC-DARTS.
struct PcDartsOptions {
  int64_t partial_channels = 4;  ///< K; 1: only the edge normalisation
  double warmup = 0.3;  ///< fraction of the search before alphas are trained: 15 of 50 epochs
  AdamOptions alpha_optimizer = {.lr = 6e-4, .beta1 = 0.5, .beta2 = 0.999, .weight_decay = 1e-3};
  PenaltyOptions penalty = {};  ///< cost penalty of the space with all channels
  EarlyStopOptions early_stop = {};
};
inline std::vector<Option> declared(PcDartsOptions& o) {
  return {
      option("partial_channels", o.partial_channels, Range{1, 1e6},
             "K: choices are applied to 1/K of the channels; 1: only the edge normalisation"),
      option("warmup", o.warmup, Range::from_to_below(0, 1),
             "fraction of the search before alphas are trained"),
      option("alpha_optimizer", o.alpha_optimizer, "Adam, which trains the alphas"),
      option("penalty", o.penalty, "cost penalty of the space with all channels"),
      option("early_stop", o.early_stop, "rules that end the search early"),
  };
}

/// Makes a search by PC-DARTS (Xu et al., ICLR 2020): DARTS in which each choice is applied to 1/K
/// of the channels, and each edge has an alpha of its own. For spaces with the option
/// `partial_channels`, unless K is 1.
Search make_pc_darts(const PcDartsOptions& options, const SearchSetup& setup, uint64_t seed);

}  // namespace retia
