#pragma once

#include <memory>

#include "engine/evaluator.h"
#include "engine/strategy.h"

namespace retia {

/// The trials by which some one-shot searches come to their architecture: what a strategy proposes
/// is scored with the weights that it inherits. The first objective decides. The strategy waits for
/// the outcomes that it goes by, so that what it proposes does not depend on how many run at once.
struct FinalSearch {
  std::unique_ptr<Strategy> strategy;
  std::unique_ptr<Evaluator> evaluator;
  int64_t max_trials = 0;  ///< after which it ends, if the strategy has not before
  int64_t n_top = 10;      ///< how many of the best are worth keeping
};

/// Runs all trials in memory. Returns the best, the earliest of equals, canonical. Throws where the
/// strategy proposes nothing.
Architecture best_of(const FinalSearch& search, const ir::Graph& space);

}  // namespace retia
