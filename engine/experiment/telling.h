#pragma once

#include <map>
#include <optional>
#include <vector>

#include "engine/evaluator.h"
#include "engine/experiment/median_stop.h"
#include "engine/experiment/trial_record.h"
#include "engine/strategy.h"

namespace retia {

/// Tells a strategy how trials ended, strictly in the order of their ids; those that end before an
/// earlier one are held back.
class Telling {
 public:
  /// `strategy` outlives it.
  Telling(Strategy& strategy, const std::vector<Objective>& objectives)
      : strategy_(strategy), objectives_(objectives) {}

  /// Takes the record of a trial that has ended.
  void add(TrialRecord record);

  /// Tells the outcomes of the first `n` trials, as far as they have not been told; false: one of
  /// them has not ended.
  bool first(int64_t n);

  /// From now on `rule`, which knows of what was told so far, hears of it too.
  void stop_early(MedianStop rule) { rule_ = std::move(rule); }

  /// What a trial that begins now must reach: see Trial.
  std::vector<double> floors() const { return rule_ ? rule_->floors() : std::vector<double>(); }

  /// How many were told.
  int64_t n_told() const { return n_told_; }

 private:
  void tell(const TrialRecord& record);

  Strategy& strategy_;
  std::vector<Objective> objectives_;
  std::map<int64_t, TrialRecord> held_back_;
  std::optional<MedianStop> rule_;
  int64_t n_told_ = 0;
};

/// An objective as a strategy hears it: more is better.
double gain(const Objective& objective, double value);

}  // namespace retia
