#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "retia/engine/experiment/strategy.h"
#include "retia/engine/ir/graph.h"

namespace retia {

/// Whether larger or smaller values of an objective are better.
enum class Direction { Maximise, Minimise };
NLOHMANN_JSON_SERIALIZE_ENUM(Direction,
                             {{Direction::Maximise, "maximise"}, {Direction::Minimise, "minimise"}})

/// One quantity by which an evaluator compares models.
struct Objective {
  std::string name;                           ///< as tables and JSON show it, e.g. "accuracy"
  Direction direction = Direction::Maximise;  ///< which values are better
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Objective, name, direction)

/// The result of scoring one model.
struct Evaluation {
  TrialStatus status = TrialStatus::Succeeded;  ///< Stopped: stop_requested returned true
  std::vector<double> objectives = {};          ///< one per entry of Evaluator::objectives()
  std::map<std::string, double> metrics = {};   ///< other numbers worth keeping
  /// The first objective after each epoch, if known; NaN where it was not finite.
  std::vector<double> intermediate = {};
  std::string error = {};  ///< one line; set when the trial failed

  friend bool operator==(const Evaluation&, const Evaluation&) = default;
};

/// The record of one trial, from the strategy's proposal to the result: evaluators are given it,
/// runners run it, the store keeps it, and observers see it. Times are seconds since 1970, UTC.
struct Trial {
  Proposal proposal = {};  ///< the architecture to try, with its id
  /// Polled now and then by the evaluator.
  std::function<bool()> stop_requested = [] { return false; };
  /// A folder for weights from which later trials continue; empty: none is kept.
  std::filesystem::path weights = {};
  /// Pruning thresholds: the trial may end after epoch i (counted from 0) when its best first
  /// objective so far is worse than floors[i]. Epochs beyond the list have no threshold.
  std::vector<double> floors = {};
  /// The frozen graph to score; none where the evaluator reads no model, and once the trial has
  /// ended.
  std::optional<ir::Graph> model = {};
  /// Number of outcomes the strategy had been told when it proposed this trial.
  int64_t n_told = 0;
  int64_t job = -1;  ///< id of the first trial of its job; -1: the architecture has no valid model
  std::optional<int64_t> seed = {};  ///< of the evaluator, where it has one
  /// The result; its status is Running until the trial has ended.
  Evaluation evaluation = {.status = TrialStatus::Running};
  double seconds = 0;     ///< running time
  double began = 0;       ///< time of the first start; 0: not yet
  double ended = 0;       ///< time of the end; 0: not yet
  std::string host = {};  ///< machine on which it ran
  /// Path of its output, relative to the experiment's folder; empty: no output.
  std::string log = {};
  int64_t n_attempts = 0;  ///< number of starts, e.g. after its machine was lost
  /// Whether strategies are told that the trial failed, whatever it has reached since: it has run
  /// again after the strategy was told (see Experiment::retry).
  bool told_failed = false;

  /// Compares all but stop_requested.
  friend bool operator==(const Trial& a, const Trial& b);
};

/// Returns whether a trial has succeeded, and so has objectives.
inline bool has_succeeded(const Trial& trial) {
  return trial.evaluation.status == TrialStatus::Succeeded;
}

/// Returns a value of an objective as strategies get it: larger is better. All that compares values
/// of objectives compares these.
double gain(Direction direction, double value);
/// Returns the value of an objective as strategies get it: larger is better.
double gain(const Objective& objective, double value);

/// Returns what a trial has reached, as strategies get it: one gain per objective; empty unless it
/// has succeeded.
std::vector<double> gains(const std::vector<Objective>& objectives, const Trial& trial);

/// The place of a trial among others: the smaller is the better trial.
using Standing = std::pair<double, int64_t>;

/// Returns the standing of the trial `id` whose first objective is `value`: the better value comes
/// first, of equal ones the earlier trial.
Standing standing(const Objective& first, double value, int64_t id);

/// Returns the standing of a trial that has succeeded.
Standing standing(const Objective& first, const Trial& trial);

/// Returns whether a trial has succeeded and stands before `best`, where there is one.
bool improves(const Objective& first, const Trial& trial, const std::optional<Trial>& best);

}  // namespace retia
