#pragma once

#include <vector>

#include "retia/engine/experiment/evaluator.h"

namespace retia {

/// The conditions under which the median stopping rule may stop a trial.
struct MedianStopOptions {
  int64_t min_trials = 5;  ///< trials needed at an epoch before the rule stops any there, ≥ 1
  int64_t min_epochs = 1;  ///< epochs that every trial gets, ≥ 1
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MedianStopOptions, min_trials, min_epochs)

/// The median stopping rule (Golovin et al., KDD 2017, Google Vizier): a trial ends after epoch e
/// where its best first objective up to e is strictly worse than the median, over the earlier
/// trials that reached epoch e, of their running averages
///   (o_1 + … + o_e) / e,
/// in which an epoch whose objective is no number does not count.
/// A trial that was stopped early counts for the epochs it completed; otherwise the median would
/// rise to that of the survivors.
class MedianStop {
 public:
  /// `direction`: of the first objective.
  explicit MedianStop(Direction direction, const MedianStopOptions& options = {});

  /// Adds a trial that succeeded. `intermediate`: its first objective after each epoch, finite or NaN.
  void add(const std::vector<double>& intermediate);

  /// Returns the pruning thresholds for a trial that begins now: see Trial::floors. All are finite;
  /// where too few trials have reached an epoch, its threshold stops nothing.
  std::vector<double> floors() const;

 private:
  Direction direction_;
  MedianStopOptions options_;
  std::vector<std::vector<double>> averages_;  // per epoch, sorted ascending
};

}  // namespace retia
