#pragma once

#include "retia/trainers/algorithms.h"
#include "retia/trainers/one_shot/bilevel_trainer.h"

namespace retia {

/// The options of a search by GDAS.
struct GdasOptions {
  double first_temperature = 10;
  double last_temperature = 0.1;
  bool hard = true;  ///< runs one candidate; false: blends all
  AdamOptions alpha_optimizer = {.lr = 3e-4, .beta1 = 0.5, .beta2 = 0.999, .weight_decay = 1e-3};
  PenaltyOptions penalty = {};
};
inline std::vector<Option> declared(GdasOptions& o) {
  return {
      option("first_temperature", o.first_temperature, Range::above(0),
             "temperature at the beginning"),
      option("last_temperature", o.last_temperature, Range::above(0), "temperature at the end"),
      option("hard", o.hard, "run one candidate; false: a blend of all by Gumbel-softmax"),
      option("alpha_optimizer", o.alpha_optimizer, "Adam, which trains the alphas"),
      option("penalty", o.penalty, "cost penalty in the loss of architecture steps"),
  };
}

/// Makes a search by GDAS (Dong and Yang, CVPR 2019): a GdasMutator, trained by a BilevelTrainer.
Search make_gdas(const GdasOptions& options, const SearchSetup& setup, uint64_t seed);

}  // namespace retia
