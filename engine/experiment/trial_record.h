#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "retia/engine/strategy.h"

namespace retia {

/// The record of one trial, from its start on. Times are seconds since 1970, UTC.
struct TrialRecord {
  Proposal proposal;
  TrialStatus status = TrialStatus::Running;
  std::vector<double> objectives = {};         ///< as the evaluator returned them
  std::map<std::string, double> metrics = {};  ///< as the evaluator returned them
  std::vector<double> intermediate = {};       ///< as the evaluator returned them
  std::string error = {};                      ///< empty where succeeded
  double seconds = 0;                          ///< running time
  double began = 0, ended = 0;                 ///< 0: not yet
  std::string host = {};                       ///< machine on which it ran
  std::string log = {};                        ///< path of its output; empty: no output
  int64_t n_attempts = 0;                      ///< number of starts
  std::optional<int64_t> seed = {};            ///< of the evaluator, where it has one
  /// Number of outcomes the strategy had been told when it proposed this trial.
  int64_t n_told = 0;
  int64_t job = -1;  ///< id of the first trial of its job; -1: the architecture has no valid model
  std::vector<double> floors = {};  ///< pruning thresholds, see Trial

  friend bool operator==(const TrialRecord&, const TrialRecord&) = default;
};

}  // namespace retia
