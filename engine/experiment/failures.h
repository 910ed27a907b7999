#pragma once

#include <map>
#include <string>

#include "retia/engine/experiment/trial.h"

namespace retia {

/// Returns the cause that errors share: `error` with `#` for each of its numbers, so that ids,
/// sizes and times make no difference.
std::string cause_of(const std::string& error);

/// Counts failures by their cause.
class FailureCounts {
 public:
  /// The failures of one cause.
  struct Cause {
    int64_t n = 0;        ///< number of failures
    std::string example;  ///< the first error
  };

  /// Counts one failure.
  void add(const std::string& error);

  /// Forgets all failures.
  void clear() { causes_.clear(); }

  /// Returns the causes, the most frequent first; of equals in alphabetical order.
  std::vector<Cause> sorted() const;

 private:
  std::map<std::string, Cause> causes_;
};

/// The trials that have failed one after another, without one that succeeded in between.
class FailureRow {
 public:
  /// Counts a trial that has ended. Architectures without a valid model make no difference.
  void add(const Trial& trial);

  /// Begins anew.
  void clear();

  /// The number of failures in a row.
  int64_t size() const { return size_; }

  /// Returns a sentence for users: how many failed, and the most frequent error.
  std::string to_string() const;

 private:
  int64_t size_ = 0;
  FailureCounts counts_;
};

/// Returns the number of failures in a row with which an experiment ends: `max_failures`, or, where
/// it is 0, ten, or twice the trials that run at once where these are more.
int64_t failures_allowed(int64_t max_failures, int64_t concurrency, int64_t merge);

}  // namespace retia
