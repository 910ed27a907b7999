#include "retia/engine/experiment/run_job.h"

#include <gmock/gmock.h>

#include "retia/engine/io/process.h"

namespace retia {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

/// Scores by id; fails for the trial 3; merges jobs that say so, unless the trial 4 is in them.
class Scorer final : public Evaluator {
 public:
  explicit Scorer(bool merges) : merges_(merges) {}
  Evaluation evaluate(const Trial& trial) override {
    alone.push_back(trial.proposal.id);
    TORCH_CHECK(trial.proposal.id != 3, "out of luck");
    return {.objectives = {static_cast<double>(trial.proposal.id)}};
  }
  std::optional<std::vector<Evaluation>> evaluate_merged(std::span<const Trial> trials) override {
    for (const Trial& trial : trials) {
      TORCH_CHECK(trial.proposal.id != 4, "diverged");
    }
    return merges_ ? std::optional(std::vector<Evaluation>(trials.size(), {.objectives = {-1}}))
                   : std::nullopt;
  }
  Json to_json() const override { return {}; }

  std::vector<int64_t> alone;

 private:
  bool merges_;
};

Job job_with(const std::vector<int64_t>& ids) {
  Job job;
  for (const int64_t id : ids) {
    job.trials.push_back({.proposal = {.id = id}, .n_told = 7});
  }
  return job;
}

std::vector<double> scores(const std::vector<Trial>& trials) {
  std::vector<double> all;
  for (const Trial& trial : trials) {
    all.push_back(trial.evaluation.objectives.empty() ? 0 : trial.evaluation.objectives[0]);
  }
  return all;
}

TEST(RunJob, RunsTrialsTogetherWhereTheyCanBeMerged) {
  Scorer evaluator(true);
  const std::vector<Trial> trials = run_job(evaluator, job_with({1, 2}));
  EXPECT_THAT(scores(trials), ElementsAre(-1, -1));
  EXPECT_THAT(evaluator.alone, IsEmpty());
  EXPECT_EQ(trials[0].seconds, trials[1].seconds) << "a share each";
  EXPECT_EQ(trials[1].host, host_name());
  EXPECT_EQ(trials[1].n_told, 7) << "the rest of the record stays";
}

TEST(RunJob, RunsTrialsOneByOneWhereTheyCannot) {
  Scorer evaluator(false);
  EXPECT_THAT(scores(run_job(evaluator, job_with({1, 2}))), ElementsAre(1, 2));
  EXPECT_THAT(evaluator.alone, ElementsAre(1, 2));
  Scorer merging(true);
  EXPECT_THAT(scores(run_job(merging, job_with({5}))), ElementsAre(5)) << "nothing to merge with";
}

TEST(RunJob, FindsOutWhoseErrorItWasWhereTheMergedRunFails) {
  Scorer evaluator(true);
  const std::vector<Trial> trials = run_job(evaluator, job_with({2, 3, 4}));
  EXPECT_THAT(scores(trials), ElementsAre(2, 0, 4));
  EXPECT_EQ(trials[1].evaluation.status, TrialStatus::Failed);
  EXPECT_EQ(trials[1].evaluation.error, "out of luck");
}

TEST(RunJob, BeginsNoTrialAfterAStop) {
  Scorer evaluator(false);
  Job job = job_with({1, 2});
  for (Trial& trial : job.trials) {
    trial.stop_requested = [] { return true; };
  }
  std::vector<TrialStatus> statuses;
  for (const Trial& trial : run_job(evaluator, job)) {
    statuses.push_back(trial.evaluation.status);
  }
  EXPECT_THAT(statuses, Each(TrialStatus::Stopped));
  EXPECT_THAT(evaluator.alone, IsEmpty());
}

}  // namespace
}  // namespace retia
