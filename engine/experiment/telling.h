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

  /// Adds a trial that has ended, or that is told as failed (see Trial::told_failed).
  void add(Trial trial);

  /// Takes back a trial whose outcome has not been told.
  void take_back(int64_t id) { held_back_.erase(id); }

  /// Tells the outcomes of the first `n` trials, as far as the strategy does not know them. Returns
  /// false where a trial has not ended; the outcomes of the trials before it are told then.
  bool first(int64_t n);

  /// Sets the early-stopping rule. `rule` already knows all outcomes told so far; this object adds
  /// later ones to it.
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
