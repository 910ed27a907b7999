#pragma once

#include <filesystem>
#include <optional>
#include <set>

#include "retia/engine/experiment/trial.h"

namespace retia {

/// Decides which trials' weights stay in the folder `weights` of an experiment, in one sub-folder
/// per trial id (see Trial::weights): the weights of the best trials, and the weights that a later
/// trial may still continue. The latter belong to trials with a number of epochs of their own, and
/// stay until one trial has continued them.
class KeptWeights {
 public:
  /// `keep`: number of best trials by the first objective, ≥ 0; of equal ones the earlier stays.
  KeptWeights(std::filesystem::path folder, int64_t keep);

  /// Takes note of an ended trial and removes weights that are no longer needed. `reached`: its
  /// standing; none where it has not succeeded. Repeating a call changes nothing.
  void tell(const Proposal& trial, const std::optional<Standing>& reached);

  /// Ends the experiment: only the weights of the best trials stay.
  void finish();

  /// Returns the folder of a trial's weights; empty where there are none.
  std::filesystem::path of(int64_t id) const;

 private:
  /// Removes the weights of a trial unless they are kept.
  void drop(int64_t id) const;
  bool is_best(int64_t id) const;

  std::filesystem::path folder_;
  int64_t keep_;
  std::set<Standing> best_;  // of the best trials, the best first
  std::set<int64_t> open_;   // ids of trials that may be continued
};

}  // namespace retia
