#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "engine/strategy.h"

namespace retia {

/// Which trials' weights stay in an experiment's folder `weights`, where each trial that leaves
/// some has a folder of its id (see Trial::weights): those of the best few, and those that a later
/// trial may still continue, which are of trials with a number of epochs of their own, until one
/// has.
class KeptWeights {
 public:
  /// keep: how many of the best, by their first objective, ≥ 0; of equal ones the earlier.
  KeptWeights(std::filesystem::path folder, int64_t keep);

  /// A trial has ended. gain: its first objective, more is better; none: it has not succeeded.
  /// Removes what is not to stay any longer; telling the same again removes the same.
  void tell(const Proposal& trial, std::optional<double> gain);

  /// The experiment is over, nothing is continued: only the best stay.
  void finish();

  /// Where a trial's weights are; empty where there are none.
  std::filesystem::path of(int64_t id) const;

 private:
  /// Unless they are to stay.
  void drop(int64_t id) const;
  bool is_best(int64_t id) const;

  std::filesystem::path folder_;
  int64_t keep_;
  std::set<std::pair<double, int64_t>> best_;  // gain, minus the id
  std::set<int64_t> open_;                     // that may be continued
};

}  // namespace retia
