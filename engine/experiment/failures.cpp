#include "retia/engine/experiment/failures.h"

#include <c10/util/StringUtil.h>

#include <algorithm>

namespace retia {
namespace {

constexpr int64_t kFailuresInARow = 10;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::string cause_of(const std::string& error) {
  std::string cause;
  for (size_t i = 0; i < error.size(); ++i) {
    if (!is_digit(error[i])) {
      cause += error[i];
    } else if (i == 0 || !is_digit(error[i - 1])) {
      cause += '#';
    }
  }
  return cause;
}

void FailureCounts::add(const std::string& error) {
  Cause& cause =
      causes_.try_emplace(cause_of(error), Cause{.n = 0, .example = error}).first->second;
  ++cause.n;
}

std::vector<FailureCounts::Cause> FailureCounts::sorted() const {
  std::vector<Cause> all;
  for (const auto& [text, cause] : causes_) {
    all.push_back(cause);
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Cause& a, const Cause& b) { return a.n > b.n; });
  return all;
}

void FailureRow::add(const Trial& trial) {
  if (has_succeeded(trial)) {
    clear();
  } else if (trial.evaluation.status == TrialStatus::Failed) {
    ++size_;
    counts_.add(trial.evaluation.error);
  }
}

void FailureRow::clear() {
  size_ = 0;
  counts_.clear();
}

std::string FailureRow::to_string() const {
  const std::vector<FailureCounts::Cause> causes = counts_.sorted();
  return causes.empty() ? "no trial failed"
                        : c10::str(size_, " trials in a row failed, ", causes.front().n,
                                   " of them with: ", causes.front().example);
}

int64_t failures_allowed(int64_t max_failures, int64_t concurrency, int64_t merge) {
  return max_failures > 0 ? max_failures : std::max(kFailuresInARow, 2 * concurrency * merge);
}

}  // namespace retia
