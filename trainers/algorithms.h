#pragma once

#include <memory>

#include "engine/factory_table.h"
#include "trainers/one_shot/one_shot_trainer.h"

namespace retia {

/// A search, or a stage of one, that is ready to run.
struct Search {
  std::unique_ptr<Mutator> mutator;
  std::unique_ptr<OneShotTrainer> trainer;
  /// Makes the next stage of what this one has come to, which must have run to its end; null: this
  /// is the last one.
  std::function<Search()> next = nullptr;
};

/// Makers take (options, setup, seed).
using AlgorithmTable = FactoryTable<Search, const SearchSetup&, uint64_t>;

/// darts, enas, fairnas, gdas, p_darts, pc_darts, proxyless, random, spos.
AlgorithmTable standard_algorithms();

}  // namespace retia
