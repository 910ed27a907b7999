#pragma once

#include <memory>
#include <utility>

#include "retia/engine/io/factory_table.h"
#include "retia/trainers/one_shot/one_shot_trainer.h"

namespace retia {

/// A one-shot search, or one stage of it, ready to run.
struct Search {
  std::unique_ptr<Mutator> mutator;         ///< decides the choices of the supernet
  std::unique_ptr<OneShotTrainer> trainer;  ///< trains supernet and mutator
  /// Makes the next stage from the result of this one, which must have finished; null: this is the
  /// last stage.
  std::function<Search()> next = nullptr;
};

/// Makes a search of a mutator and a trainer, whose constructor takes (setup, mutator, arguments…).
template <class Trainer, class MutatorClass, class... Arguments>
Search search_by(const SearchSetup& setup, std::unique_ptr<MutatorClass> mutator,
                 Arguments&&... arguments) {
  auto trainer = std::make_unique<Trainer>(setup, *mutator, std::forward<Arguments>(arguments)...);
  return {std::move(mutator), std::move(trainer)};
}

/// The table of algorithms. Factories take (options, setup, seed).
using AlgorithmTable = FactoryTable<Search, const SearchSetup&, uint64_t>;

/// Returns a table of the built-in algorithms, each of which has a file in trainers/algorithms/.
AlgorithmTable standard_algorithms();

}  // namespace retia
