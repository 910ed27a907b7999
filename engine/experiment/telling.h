#pragma once

#include <map>
#include <optional>
#include <vector>

#include "retia/engine/experiment/median_stop.h"
#include "retia/engine/experiment/strategy.h"
#include "retia/engine/experiment/trial.h"

namespace retia {

/// Tells a strategy the outcomes of trials strictly in the order of their ids; outcomes of trials
/// that end early are held back until it is their turn.
class Telling {
 public:
  /// `strategy` must outlive this object.
  Telling(Strategy& strategy, const std::vector<Objective>& objectives)
      : strategy_(strategy), objectives_(objectives) {}

  /// Adds an ended trial.
  void add(Trial trial);

  /// Tells the outcomes of the first `n` trials that have not been told yet; returns false, after
  /// the ones before, where one of them has not ended.
  bool first(int64_t n);

  /// Sets the early-stopping rule, which already knows of everything told so far, and is told the
  /// rest.
  void stop_early(MedianStop rule) { rule_ = std::move(rule); }

  /// Returns the pruning thresholds of a trial that begins now: see Trial::floors.
  std::vector<double> floors() const { return rule_ ? rule_->floors() : std::vector<double>(); }

  /// The number of outcomes told.
  int64_t n_told() const { return n_told_; }

 private:
  void tell(const Trial& trial);

  Strategy& strategy_;
  std::vector<Objective> objectives_;
  std::map<int64_t, Trial> held_back_;
  std::optional<MedianStop> rule_;
  int64_t n_told_ = 0;
};

}  // namespace retia
