#include "retia/engine/experiment/job_files.h"

#include <gmock/gmock.h>

#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

/// A job of trials that decide nothing and read no model.
Job bare_job(const std::vector<int64_t>& ids, int64_t attempt = 0) {
  Job job{.attempt = attempt};
  for (const int64_t id : ids) {
    job.trials.push_back({.proposal = {.id = id}});
  }
  return job;
}

std::vector<Trial> results_of(const Job& job, TrialStatus last = TrialStatus::Succeeded) {
  std::vector<Trial> trials = job.trials;
  for (Trial& trial : trials) {
    trial.evaluation = {.objectives = {0.5}};
  }
  trials.back().evaluation.status = last;
  return trials;
}

TEST(JobFiles, LieInTheFolderOfTheFirstTrial) {
  const JobFiles files("run", bare_job({7, 8}, 2));
  EXPECT_EQ(files.folder, "run/trials/7");
  EXPECT_EQ(files.trial, "run/trials/7/trial.json");
  EXPECT_EQ(files.result, "run/trials/7/result-2.json");
  EXPECT_EQ(files.log, "run/trials/7/log.txt");
  EXPECT_EQ(JobFiles("run/trials/7", 2).result, files.result);
}

TEST(JobFiles, GiveResultsOnlyWhereAllTrialsEnded) {
  const TemporaryFolder folder;
  const Job job = bare_job({3, 4});
  const JobFiles files(folder.path(), job);
  EXPECT_FALSE(files.results(job));
  files.write({.setting = {}, .mutables = {}, .job = job});
  EXPECT_TRUE(std::filesystem::exists(files.trial));
  write_results(files.trial, results_of(job, TrialStatus::Stopped));
  EXPECT_FALSE(files.results(job));
  write_results(files.trial, results_of(job));
  ASSERT_TRUE(files.results(job));
  EXPECT_EQ(files.results(job)->at(1).proposal, job.trials[1].proposal);
  EXPECT_FALSE(files.results(bare_job({3}))) << "of another job";
  write_plainly(files.result, "{\"format\": \"retia.res");
  EXPECT_FALSE(files.results(job)) << "damaged";
}

TEST(JobFiles, ForgetEarlierResultsWhenWritten) {
  const TemporaryFolder folder;
  const Job job = bare_job({3});
  const JobFiles files(folder.path(), job);
  files.write({.setting = {}, .mutables = {}, .job = job});
  write_results(files.trial, results_of(job));
  files.write({.setting = {}, .mutables = {}, .job = job});
  EXPECT_FALSE(files.results(job));
}

TEST(JobFiles, KnowTheLastWordsOfTheLog) {
  const TemporaryFolder folder;
  const Job job = bare_job({3});
  const JobFiles files(folder.path(), job);
  EXPECT_EQ(files.last_words(), "");
  EXPECT_EQ(files.log_name(), "");
  files.write({.setting = {}, .mutables = {}, .job = job});
  write_plainly(files.log, "");
  EXPECT_EQ(files.log_name(), "");
  write_plainly(files.log, "epoch 1\nout of memory\n \n");
  EXPECT_EQ(files.last_words(), "out of memory");
  EXPECT_EQ(files.log_name(), "trials/3/log.txt");
}

TEST(JobFiles, LeaveOnlyALogThatSaysSomething) {
  const TemporaryFolder folder;
  const Job job = bare_job({3});
  const JobFiles files(folder.path(), job);
  files.write({.setting = {}, .mutables = {}, .job = job});
  write_results(files.trial, results_of(job));
  write_plainly(files.log, "warning\n");
  files.remove();
  EXPECT_FALSE(std::filesystem::exists(files.trial));
  EXPECT_FALSE(std::filesystem::exists(files.result));
  EXPECT_EQ(files.last_words(), "warning");
  write_plainly(files.log, "");
  files.remove();
  EXPECT_FALSE(std::filesystem::exists(files.folder));
}

TEST(JobFiles, BelongToOneTrialWhereAJobIsSplit) {
  Job job = bare_job({3, 4}, 5);
  job.trials[1].floors = {0.5};
  const Job second = alone(job.trials[1]);
  EXPECT_EQ(second.trials, std::vector{job.trials[1]});
  EXPECT_EQ(second.attempt, 0);
}

}  // namespace
}  // namespace retia
