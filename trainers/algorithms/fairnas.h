#pragma once

#include "retia/trainers/algorithms.h"
#include "retia/trainers/algorithms/evolved.h"

namespace retia {

/// Makes a search by FairNAS (Chu et al., ICCV 2021): a FairnasMutator, trained by a
/// SinglePathTrainer in steps of one path for each candidate, and an evolution with the weights.
Search make_fairnas(const EvolvedOptions& options, const SearchSetup& setup, uint64_t seed);

}  // namespace retia
