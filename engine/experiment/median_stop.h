#pragma once

#include <vector>

#include "engine/evaluator.h"

namespace retia {

struct MedianStopOptions {
  int64_t min_trials = 5;  ///< that have come as far, before any is stopped there; ≥ 1
  int64_t min_epochs = 1;  ///< that every trial is left; ≥ 1
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(MedianStopOptions, min_trials, min_epochs)

/// The median stopping rule (Golovin et al., KDD 2017, Google Vizier): a trial ends after epoch e
/// where its best first objective up to e is strictly worse than the median, over the trials before
/// it that came as far, of
///   (o_1 + … + o_e) / e,
/// the running averages of theirs. A trial that was itself stopped counts for the epochs that it
/// had, so that bad ones keep the median from rising to that of the survivors.
class MedianStop {
 public:
  /// direction: of the first objective.
  explicit MedianStop(Direction direction, const MedianStopOptions& options = {});

  /// A trial has succeeded. intermediate: its first objective after each epoch, finite.
  void add(const std::vector<double>& intermediate);

  /// What a trial that begins now must reach: see Trial::floors. All are finite: where too few have
  /// come the number that nothing is worse than.
  std::vector<double> floors() const;

 private:
  Direction direction_;
  MedianStopOptions options_;
  std::vector<std::vector<double>> averages_;  // by epoch, ascending
};

}  // namespace retia
