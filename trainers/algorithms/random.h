#pragma once

#include "retia/trainers/algorithms.h"
#include "retia/trainers/one_shot/penalty.h"

namespace retia {

/// The options of a search by random paths.
struct RandomSearchOptions {
  int64_t n_candidates = 50;           ///< distinct architectures scored at the end, ≥ 1
  int64_t recalibration_batches = 20;  ///< see SinglePathOptions
  PenaltyOptions penalty = {};         ///< cost penalty of the accuracy by which they are scored
};
inline std::vector<Option> declared(RandomSearchOptions& o) {
  return {
      option("n_candidates", o.n_candidates, Range{1, 1e9},
             "distinct architectures that are scored at the end"),
      option("recalibration_batches", o.recalibration_batches, Range{0, 1e9},
             "batches to recalibrate batch normalisations by; 0: none"),
      option("penalty", o.penalty, "cost penalty of the accuracy by which they are scored"),
  };
}

/// Makes a search by random paths (Li and Talwalkar, UAI 2019): a RandomMutator, trained by a
/// SinglePathTrainer; the best of random architectures is the result.
Search make_random(const RandomSearchOptions& options, const SearchSetup& setup, uint64_t seed);

}  // namespace retia
