#pragma once

#include "retia/trainers/algorithms.h"
#include "retia/trainers/one_shot/bilevel_trainer.h"

namespace retia {

/// Makes a search by DARTS (Liu et al., ICLR 2019): a DartsMutator, trained by a BilevelTrainer.
Search make_darts(const BilevelOptions& options, const SearchSetup& setup, uint64_t seed);

}  // namespace retia
