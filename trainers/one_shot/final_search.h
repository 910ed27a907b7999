#pragma once

#include <memory>

#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/experiment/strategy.h"

namespace retia {

/// The multi-trial search at the end of some one-shot searches: proposals of a strategy are scored
/// with the weights they inherit. The first objective decides. The strategy waits for the outcomes
/// it needs, so that its proposals do not depend on how many trials run at once.
struct FinalSearch {
  std::unique_ptr<Strategy> strategy;    ///< proposes architectures
  std::unique_ptr<Evaluator> evaluator;  ///< scores proposals with inherited weights
  /// Trials after which the search ends, if the strategy is not exhausted before.
  int64_t max_trials = 0;
  int64_t n_top = 10;  ///< number of best architectures that are kept
};

/// Runs the search as an Experiment in memory; returns the best canonical architecture, the
/// earliest of equals. Throws where no trial succeeds.
Architecture best_of(const FinalSearch& search, const ir::Graph& space);

}  // namespace retia
