#pragma once

#include "retia/trainers/algorithms.h"
#include "retia/trainers/algorithms/evolved.h"

namespace retia {

/// The options of fairnas, plus `bins`.
struct SposOptions : EvolvedOptions {
  /// Number of ranges of multiply-adds into which a window with both bounds is divided, ≥ 1; steps
  /// draw from all ranges equally often.
  int64_t bins = 7;
};
inline std::vector<Option> declared(SposOptions& o) {
  return joined({option("bins", o.bins, Range{1, 1e6},
                        "ranges of multiply-adds between both limits, drawn from equally often")},
                declared(static_cast<EvolvedOptions&>(o)));
}

/// Makes a search by Single Path One-Shot (Guo et al., ECCV 2020): a SposMutator, trained by a
/// SinglePathTrainer, and an evolution with the weights.
Search make_spos(const SposOptions& options, const SearchSetup& setup, uint64_t seed);

}  // namespace retia
