#include "retia/engine/experiment/failures.h"

#include <gmock/gmock.h>

namespace retia {
namespace {

Trial failed(const std::string& error) {
  return {.evaluation = {.status = TrialStatus::Failed, .error = error}};
}

TEST(Failures, HaveACauseWithoutNumbers) {
  EXPECT_EQ(cause_of("job 71: took 3.5 s of 12GB"), "job #: took #.# s of #GB");
  EXPECT_EQ(cause_of("lost"), "lost");
  EXPECT_EQ(cause_of(""), "");
}

TEST(Failures, AreCountedByCauseTheMostFrequentFirst) {
  FailureCounts counts;
  for (const char* error : {"z 1", "b", "a", "z 2", "z 33"}) {
    counts.add(error);
  }
  const std::vector<FailureCounts::Cause> causes = counts.sorted();
  ASSERT_EQ(causes.size(), 3u);
  EXPECT_EQ(causes[0].n, 3);
  EXPECT_EQ(causes[0].example, "z 1");
  EXPECT_EQ(causes[1].example, "a");
  EXPECT_EQ(causes[2].example, "b");
}

TEST(FailureRow, EndsWithASuccessButNotWithAnArchitectureThatHasNoModel) {
  FailureRow row;
  EXPECT_EQ(row.to_string(), "no trial failed");
  row.add(failed("no disk"));
  row.add({.evaluation = {.objectives = {1}}});
  EXPECT_EQ(row.size(), 0);
  row.add(failed("no memory at 7"));
  row.add({.evaluation = {.status = TrialStatus::Invalid, .error = "too narrow"}});
  row.add(failed("no disk"));
  row.add(failed("no memory at 8"));
  EXPECT_EQ(row.size(), 3);
  EXPECT_EQ(row.to_string(), "3 trials in a row failed, 2 of them with: no memory at 7");
}

TEST(FailureRow, MayBeAsLongAsAskedOrAsJobsRunAtOnce) {
  EXPECT_EQ(failures_allowed(3, 64, 2), 3);
  EXPECT_EQ(failures_allowed(0, 1, 1), 10);
  EXPECT_EQ(failures_allowed(0, 64, 2), 256);
}

}  // namespace
}  // namespace retia
