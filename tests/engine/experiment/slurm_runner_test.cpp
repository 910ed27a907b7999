#include "retia/engine/experiment/slurm_runner.h"

#include <gmock/gmock.h>

#include "retia/engine/io/files.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

/// A cluster that does what a test says. It outlives its runners, as Slurm does.
struct FakeCluster {
  bool answers = true;
  int64_t n_jobs = 0;
  std::vector<std::vector<std::string>> submissions = {};  ///< folders of the trials
  std::map<std::string, SlurmState> jobs = {};
  std::map<std::filesystem::path, std::string> by_file = {};
  std::vector<std::string> cancelled = {};
};

class FakeQueue final : public SlurmQueue {
 public:
  explicit FakeQueue(FakeCluster& cluster) : cluster_(cluster) {}

  std::optional<std::vector<std::string>> submit(
      const std::vector<std::filesystem::path>& files) override {
    cluster_.submissions.emplace_back();
    std::vector<std::string> ids;
    for (const std::filesystem::path& file : files) {
      EXPECT_TRUE(std::filesystem::exists(file));
      cluster_.submissions.back().push_back(file.parent_path().filename());
      ids.push_back(c10::str("j", ++cluster_.n_jobs));
      cluster_.jobs[ids.back()] = {"RUNNING", "None"};
      cluster_.by_file[file] = ids.back();
    }
    return cluster_.answers ? std::optional(ids) : std::nullopt;
  }
  std::optional<std::map<std::string, SlurmState>> states(
      const std::vector<std::string>& /*ids*/) override {
    return cluster_.answers ? std::optional(cluster_.jobs) : std::nullopt;
  }
  std::optional<std::map<std::filesystem::path, std::string>> submitted() override {
    return cluster_.answers ? std::optional(cluster_.by_file) : std::nullopt;
  }
  bool cancel(const std::vector<std::string>& ids) override {
    cluster_.cancelled.insert(cluster_.cancelled.end(), ids.begin(), ids.end());
    return cluster_.answers;
  }

 private:
  FakeCluster& cluster_;
};

class SlurmRuns : public testing::Test {
 protected:
  SlurmRunner runner(int64_t concurrency = 8) {
    return {std::make_unique<FakeQueue>(cluster_),
            {},
            {},
            folder_.path(),
            concurrency,
            {.poll = 0.001, .retries = 2},
            [this](const std::string& warning) { warnings_.push_back(warning); }};
  }

  static Job job(const std::vector<int64_t>& trials) {
    Job job;
    for (const int64_t trial : trials) {
      job.trials.push_back({.proposal = {.id = trial}});
    }
    return job;
  }

  static Job recovered(Job job) {
    job.recovered = true;
    return job;
  }

  std::filesystem::path file(int64_t trial) const {
    return folder_ / ("trials/" + std::to_string(trial) + "/trial.json");
  }

  /// What a job of these trials leaves, the last one that was submitted.
  void leave_results(const std::vector<int64_t>& trials,
                     TrialStatus status = TrialStatus::Succeeded) const {
    leave_results(trials, status, attempt_of(file(trials.front())));
  }
  void leave_results(const std::vector<int64_t>& trials, TrialStatus status,
                     int64_t attempt) const {
    std::vector<Trial> results;
    for (const int64_t trial : trials) {
      results.push_back({.proposal = {.id = trial},
                         .evaluation = {.status = status, .objectives = {1.0 * trial}},
                         .host = "node"});
    }
    write_results(file(trials.front()), results, attempt);
  }

  /// Looks until something ends, at most so often.
  static std::vector<Trial> looks(SlurmRunner& runner, int n = 5) {
    std::vector<Trial> results;
    for (int i = 0; i < n && results.empty(); ++i) {
      results = runner.wait(0.01);
    }
    return results;
  }

  const TemporaryFolder folder_;
  FakeCluster cluster_;
  std::vector<std::string> warnings_;
};

TEST_F(SlurmRuns, SubmitsWhatStartsTogetherAndGivesTheResultsThatWereLeft) {
  SlurmRunner slurm = runner();
  slurm.start(job({0}));
  slurm.start(job({1, 2}));
  EXPECT_THAT(slurm.wait(0), IsEmpty());
  EXPECT_THAT(cluster_.submissions, ElementsAre(ElementsAre("0", "1")));
  EXPECT_EQ(read_json(folder_ / "trials/1/slurm.json").at("job"), "j2");
  write_plainly(folder_ / "trials/1/log.txt", "said\n");

  leave_results({1, 2});
  const std::vector<Trial> results = looks(slurm);
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(results[1].evaluation.objectives.front(), 2);
  EXPECT_EQ(results[1].host, "node");
  EXPECT_EQ(results[1].log, "trials/1/log.txt");
  EXPECT_EQ(results[1].n_attempts, 1);

  leave_results({0});
  EXPECT_THAT(looks(slurm), SizeIs(1));
  EXPECT_THAT(slurm.wait(0), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "trials/0"));
  EXPECT_TRUE(std::filesystem::exists(folder_ / "trials/1/log.txt"));
  EXPECT_FALSE(std::filesystem::exists(file(1)));
}

TEST_F(SlurmRuns, QueuesALostJobAgainAndThenSaysWhatBecameOfIt) {
  SlurmRunner slurm = runner();
  slurm.start(job({5}));
  slurm.wait(0);
  for (const char* id : {"j1", "j2", "j3"}) {
    cluster_.jobs.at(id) = {"TIMEOUT", "TimeLimit"};
    write_plainly(folder_ / "trials/5/log.txt", "epoch 1\nepoch 2\n\n");
    if (std::string(id) != "j3") {
      EXPECT_THAT(looks(slurm), IsEmpty());
    }
  }
  const std::vector<Trial> results = looks(slurm);
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].evaluation.status, TrialStatus::Failed);
  EXPECT_EQ(results[0].evaluation.error,
            "its Slurm job j3 ended as TIMEOUT (TimeLimit) without a result: epoch 2");
  EXPECT_EQ(results[0].n_attempts, 3);
  EXPECT_THAT(cluster_.submissions, SizeIs(3));
}

TEST_F(SlurmRuns, QueuesAgainWhatSlurmHasForgottenOrStopped) {
  SlurmRunner slurm = runner();
  slurm.start(job({5}));
  slurm.wait(0);
  cluster_.jobs.clear();
  looks(slurm);
  EXPECT_THAT(cluster_.submissions, SizeIs(2));

  leave_results({5}, TrialStatus::Stopped);
  cluster_.jobs.at("j2") = {"PREEMPTED", "None"};
  looks(slurm);
  EXPECT_THAT(cluster_.submissions, SizeIs(3));

  leave_results({5});
  const std::vector<Trial> results = looks(slurm);
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].evaluation.status, TrialStatus::Succeeded);
  EXPECT_EQ(results[0].n_attempts, 3);
}

TEST_F(SlurmRuns, LetsSlurmQueueAJobAgainByItself) {
  SlurmRunner slurm = runner();
  slurm.start(job({5}));
  slurm.wait(0);
  for (const char* name : {"COMPLETING", "PENDING", "RUNNING"}) {
    cluster_.jobs.at("j1") = {name, "BeginTime"};
    looks(slurm);
  }
  EXPECT_THAT(cluster_.submissions, SizeIs(1));
}

TEST_F(SlurmRuns, TakesResultsThatAreSeenLate) {
  SlurmRunner slurm = runner();
  slurm.start(job({5}));
  slurm.wait(0);
  cluster_.jobs.at("j1") = {"COMPLETED", "None"};
  EXPECT_THAT(slurm.wait(0), IsEmpty());  // one look
  leave_results({5});
  EXPECT_THAT(looks(slurm), SizeIs(1));
  EXPECT_THAT(cluster_.submissions, SizeIs(1));
}

TEST_F(SlurmRuns, RunsTheMembersOfALostJobAlone) {
  SlurmRunner slurm = runner();
  slurm.start(job({3, 4}));
  slurm.wait(0);
  cluster_.jobs.at("j1") = {"OUT_OF_MEMORY", "OutOfMemory"};
  looks(slurm);
  EXPECT_THAT(cluster_.submissions, ElementsAre(ElementsAre("3"), ElementsAre("3", "4")));
  leave_results({3});
  leave_results({4});
  const std::vector<Trial> results = looks(slurm);
  ASSERT_THAT(results, SizeIs(2));
  EXPECT_EQ(results[0].n_attempts, 2);
}

TEST_F(SlurmRuns, WaitsWhileSlurmDoesNotAnswerAndSaysSoOnce) {
  SlurmRunner slurm = runner();
  slurm.start(job({5}));
  slurm.wait(0);
  cluster_.answers = false;
  cluster_.jobs.clear();
  looks(slurm);
  slurm.start(job({6}));
  looks(slurm);
  EXPECT_THAT(warnings_, ElementsAre("Slurm does not answer; waiting until it does"));
  EXPECT_THAT(cluster_.submissions, SizeIs(1));

  cluster_.answers = true;
  cluster_.jobs = {{"j1", {"RUNNING", "None"}}};
  looks(slurm);
  EXPECT_THAT(cluster_.submissions, ElementsAre(ElementsAre("5"), ElementsAre("6")));
  leave_results({5});
  leave_results({6});
  EXPECT_THAT(looks(slurm), SizeIs(2));
}

TEST_F(SlurmRuns, FindsAJobThatWasTakenUpWithoutAnAnswer) {
  SlurmRunner slurm = runner();
  cluster_.answers = false;
  slurm.start(job({5}));
  looks(slurm);
  cluster_.answers = true;
  looks(slurm);
  EXPECT_THAT(cluster_.submissions, SizeIs(1));
  EXPECT_EQ(read_json(folder_ / "trials/5/slurm.json").at("job"), "j1");
  EXPECT_THAT(warnings_, SizeIs(1));
}

TEST_F(SlurmRuns, GoesOnWithTheJobsOfAFormerManager) {
  {
    SlurmRunner former = runner();
    for (const int64_t trial : {0, 1, 2}) {
      former.start(job({trial}));
    }
    former.wait(0);
  }
  leave_results({0});
  std::filesystem::remove(folder_ / "trials/2/slurm.json");  // killed before it was written
  SlurmRunner slurm = runner();
  for (const int64_t trial : {0, 1, 2, 3}) {
    slurm.start(recovered(job({trial})));
  }
  const std::vector<Trial> results = slurm.wait(0);
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].proposal.id, 0);
  EXPECT_THAT(cluster_.submissions, ElementsAre(ElementsAre("0", "1", "2"), ElementsAre("3")));
  for (const int64_t trial : {1, 2, 3}) {
    leave_results({trial});
  }
  EXPECT_THAT(looks(slurm), SizeIs(3));
}

TEST_F(SlurmRuns, GoesOnWithAJobThatAFormerManagerHasSplit) {
  {
    SlurmRunner former = runner();
    former.start(job({3, 4}));
    former.wait(0);
    cluster_.jobs.at("j1") = {"FAILED", "NonZeroExitCode"};
    looks(former);
  }
  const size_t n_submissions = cluster_.submissions.size();
  SlurmRunner slurm = runner();
  slurm.start(recovered(job({3, 4})));
  looks(slurm);
  EXPECT_THAT(cluster_.submissions, SizeIs(n_submissions));
  leave_results({3});
  leave_results({4});
  EXPECT_THAT(looks(slurm), SizeIs(2));
}

TEST_F(SlurmRuns, CancelsItsJobsWhenItIsStopped) {
  SlurmRunner slurm = runner(2);
  for (const int64_t trial : {0, 1}) {
    slurm.start(job({trial}));
  }
  slurm.wait(0);
  leave_results({0});
  slurm.stop();
  EXPECT_THAT(cluster_.cancelled, ElementsAre("j2"));
  std::map<int64_t, TrialStatus> ended;
  for (const Trial& result : slurm.wait(0)) {
    ended[result.proposal.id] = result.evaluation.status;
  }
  EXPECT_THAT(ended, UnorderedElementsAre(testing::Pair(0, TrialStatus::Succeeded),
                                          testing::Pair(1, TrialStatus::Stopped)));

  SlurmRunner again = runner();
  again.start(recovered(job({1})));
  again.wait(0);
  EXPECT_THAT(cluster_.submissions, SizeIs(2)) << "went on with one that dies";
  EXPECT_EQ(read_json(folder_ / "trials/1/slurm.json").at("n_deaths"), 0);
  leave_results({1}, TrialStatus::Failed, 1);
  EXPECT_THAT(looks(again), IsEmpty()) << "took the end of one that dies";
  leave_results({1});
  const std::vector<Trial> results = looks(again);
  ASSERT_THAT(results, SizeIs(1));
  EXPECT_EQ(results[0].evaluation.status, TrialStatus::Succeeded);
  again.wait(0);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "trials/1"));
}

TEST_F(SlurmRuns, RefusesOptionsOutOfRange) {
  EXPECT_THAT(error_of([&] { runner(0); }), HasSubstr("--concurrency must be at least 1, got 0"));
  EXPECT_THAT(error_of([&] {
                SlurmRunner(std::make_unique<FakeQueue>(cluster_), {}, {}, folder_.path(), 1,
                            {.poll = 0}, nullptr);
              }),
              HasSubstr("runner.poll must be above 0, got 0"));
}

}  // namespace
}  // namespace retia
