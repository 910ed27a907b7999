#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/strategy.h"

namespace retia {

/// What is known of one trial, from the moment that it is begun. Times are seconds since 1970, UTC.
struct TrialRecord {
  Proposal proposal;
  TrialStatus status = TrialStatus::Running;
  std::vector<double> objectives = {};         ///< as the evaluator gave them
  std::map<std::string, double> metrics = {};  ///< likewise
  std::vector<double> intermediate = {};       ///< likewise
  std::string error = {};                      ///< unless succeeded
  double seconds = 0;                          ///< that it took
  double began = 0, ended = 0;                 ///< 0: has not
  std::string host = {};                       ///< where it ran
  std::string log = {};                        ///< path of what it printed; empty: nothing
  int64_t n_attempts = 0;                      ///< how often it was started
  std::optional<int64_t> seed = {};            ///< the evaluator's, where it has one
  int64_t n_told = 0;               ///< how many outcomes the strategy knew when it proposed this
  int64_t job = -1;                 ///< the id of the first trial of its job; -1: makes no model
  std::vector<double> floors = {};  ///< see Trial

  friend bool operator==(const TrialRecord&, const TrialRecord&) = default;
};

}  // namespace retia
