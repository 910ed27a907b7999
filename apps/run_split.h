#pragma once

#include <optional>
#include <string>

#include "retia/apps/workbench.h"
#include "retia/trainers/data/split_record.h"

namespace retia {

/// Keeps the split of a run in its directory. Where one is kept already, a resumed run must have the
/// same: throws, naming the part that differs. `has_begun`: whether the run has trained already;
/// throws where it has and kept no split, as runs of earlier versions, which split otherwise.
void keep_split(RunDirectory& directory, const SplitRecord& split, bool has_begun);

/// Returns the split of a run's training samples. `tells`: says on standard error which classes a
/// part lacks.
Split split_of_run(const Dataset& train, double valid_fraction, uint64_t seed, bool tells);

/// Returns the split of the training samples of a run, made again. Throws where `data` are not those
/// of the run.
Split split_again(const DataSplits& data, const SplitRecord& of_run);

/// Returns `split` without samples of `data.train` on which the search with the record `search` was
/// tested, where that had other test samples than `data`. `search`: none: no search is known. `tells`:
/// says on standard error how many samples these are.
Split without_tested(Split split, const DataSplits& data, const std::optional<SplitRecord>& search,
                     bool tells);

/// The samples on which weights are scored.
struct ScoredSamples {
  Dataset set;            ///< the samples
  std::string described;  ///< one line: which samples these are, how many, and how many trained
  bool are_test = true;   ///< whether these are the test samples of a run
};

/// Returns the run's test samples where `data` has these as its test part, else all of `data`.
/// `run`: split of the run whose weights are scored; none: unknown, which is told.
ScoredSamples samples_to_score(const DataSplits& data, const std::optional<SplitRecord>& run);

}  // namespace retia
