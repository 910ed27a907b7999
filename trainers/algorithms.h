#pragma once

#include <memory>

#include "retia/engine/factory_table.h"
#include "retia/trainers/one_shot/one_shot_trainer.h"

namespace retia {

/// A one-shot search, or one stage of it, ready to run.
struct Search {
  std::unique_ptr<Mutator> mutator;
  std::unique_ptr<OneShotTrainer> trainer;
  /// Makes the next stage from the result of this one, which must have finished; null: this is the
  /// last stage.
  std::function<Search()> next = nullptr;
};

/// The table of algorithms. Factories take (options, setup, seed).
using AlgorithmTable = FactoryTable<Search, const SearchSetup&, uint64_t>;

/// Returns a table of darts, enas, fairnas, gdas, p_darts, pc_darts, proxyless, random, spos.
AlgorithmTable standard_algorithms();

}  // namespace retia
