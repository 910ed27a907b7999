#include <gmock/gmock.h>

#include <algorithm>

#include "retia/engine/base/clock.h"
#include "retia/engine/experiment/dispatch.h"
#include "retia/engine/experiment/experiment.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"
#include "retia/tests/engine/experiment/shuffled_runner.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

using testing::ElementsAre;

/// One layer of 1 to 30 outputs.
ir::Graph widths() {
  const auto width =
      ValueChoice<int64_t>("width", {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
                                     16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30});
  Builder b("widths");
  b.output("y", b.add("layer", ops::linear({.out = width}), {b.input("x", {4})}));
  return b.finish();
}

/// An evaluator that nothing asks to evaluate.
class Elsewhere final : public Evaluator {
 public:
  Evaluation evaluate(const Trial&) override {
    ADD_FAILURE() << "evaluated in this process";
    return {};
  }
  Json to_json() const override {
    return {{"name", "elsewhere"}, {"options", {{"of", {{"options", {{"seed", 7}}}}}}}};
  }
};

/// Proposes all widths, and keeps a diary of asking and telling. Waits where it has proposed
/// `group` trials more than it has heard of; its ids from `invalid` on make no model.
class Diarist final : public Strategy {
 public:
  explicit Diarist(int64_t group = 1000, int64_t invalid = 1000)
      : group_(group), invalid_(invalid) {}

  Answer ask() override {
    if (n_asked_ == 30) {
      return Exhausted{};
    }
    if (n_asked_ - n_told_ == group_) {
      return Wait{};
    }
    const int64_t id = n_asked_++;
    told_at_ask.push_back(n_told_);
    return Proposal{
        .id = id, .architecture = id < invalid_ ? Architecture{{"width", {{id}}}} : Architecture{}};
  }
  void tell(const Proposal& proposal, const Outcome&) override {
    EXPECT_EQ(proposal.id, n_told_) << "not in the order of ids";
    ++n_told_;
  }
  Json state() const override { return {}; }
  void load_state(const Json&) override {}

  std::vector<int64_t> told_at_ask;

 private:
  int64_t group_, invalid_, n_asked_ = 0, n_told_ = 0;
};

Evaluation by_id(const Proposal& proposal) {
  return {.objectives = {static_cast<double>(proposal.id % 7)}};
}

TEST(Concurrency, TellsInTheOrderOfIdsAndExactlyWhatIsOldEnough) {
  for (const auto& [concurrency, merge] :
       std::vector<std::pair<int64_t, int64_t>>{{1, 1}, {2, 1}, {5, 1}, {1, 3}, {3, 4}}) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const TemporaryFolder folder;
      Elsewhere evaluator;
      Diarist strategy;
      ShuffledRunner runner(by_id, concurrency, seed);
      ExperimentObserver observer;
      Experiment experiment(widths(), "widths", evaluator, strategy, folder.path());
      EXPECT_EQ(experiment.run({.merge = merge}, runner, observer), ExperimentEnding::Exhausted);
      ASSERT_EQ(strategy.told_at_ask.size(), 30u);
      for (int64_t k = 0; k < 30; ++k) {
        EXPECT_EQ(strategy.told_at_ask[static_cast<size_t>(k)],
                  std::max<int64_t>(0, k + 1 - concurrency * merge));
      }
      EXPECT_EQ(experiment.n_trials(), 30);
      EXPECT_EQ(experiment.best()->proposal.id, 6) << "the earliest of equals";
      EXPECT_TRUE(std::all_of(runner.sizes.begin(), runner.sizes.end() - 1,
                              [&](size_t size) { return size == static_cast<size_t>(merge); }));
    }
  }
}

TEST(Concurrency, HearsExactlyOneOutcomeMoreWhereTheStrategyWaits) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const TemporaryFolder folder;
    Elsewhere evaluator;
    Diarist strategy(3);
    ShuffledRunner runner(by_id, 5, seed);
    ExperimentObserver observer;
    Experiment experiment(widths(), "widths", evaluator, strategy, folder.path());
    EXPECT_EQ(experiment.run({.merge = 2}, runner, observer), ExperimentEnding::Exhausted);
    for (int64_t k = 0; k < 30; ++k) {
      EXPECT_EQ(strategy.told_at_ask[static_cast<size_t>(k)], std::max<int64_t>(0, k - 2));
    }
    // Two, and one that the strategy could not make two of.
    EXPECT_EQ(std::vector<size_t>(runner.sizes.begin(), runner.sizes.begin() + 3),
              (std::vector<size_t>{2, 1, 1}));
  }
}

TEST(Concurrency, RecordsWhereAndWhenAndLeavesInvalidOnesToNoRunner) {
  const TemporaryFolder folder;
  Elsewhere evaluator;
  Diarist strategy(1000, 28);
  ShuffledRunner runner(by_id, 2, 1);
  ExperimentObserver observer;
  Experiment experiment(widths(), "widths", evaluator, strategy, folder.path());
  const double before = utc_now();
  experiment.run({.merge = 3}, runner, observer);
  EXPECT_EQ(runner.ended.size(), 28u);
  const std::vector<Trial> trials = experiment.trials();
  ASSERT_EQ(trials.size(), 30u);
  EXPECT_EQ(trials[4].host, "nowhere");
  EXPECT_EQ(trials[4].seed, 7);
  EXPECT_EQ(trials[4].n_attempts, 1);
  EXPECT_EQ(trials[4].job, 3);
  EXPECT_GE(trials[4].began, before);
  EXPECT_GE(trials[4].ended, trials[4].began);
  EXPECT_EQ(trials[27].job, 27);
  EXPECT_EQ(trials[28].evaluation.status, TrialStatus::Invalid);
  EXPECT_EQ(trials[29].job, -1);
}

TEST(Concurrency, KeepsWhatHasEndedWhereARunnerGivesUp) {
  class Broken final : public Runner {
   public:
    int64_t concurrency() const override { return 2; }
    void start(Job job) override {
      TORCH_CHECK(job.trials.front().proposal.id < 5, "the cluster is gone");
      jobs_.push_back(std::move(job));
    }
    std::vector<Trial> wait(double) override {
      Trial trial = std::move(jobs_.front().trials.front());
      jobs_.erase(jobs_.begin());
      trial.evaluation = by_id(trial.proposal);
      return {trial};
    }
    void stop() override {}

   private:
    std::vector<Job> jobs_;
  };
  const TemporaryFolder folder;
  Elsewhere evaluator;
  ExperimentObserver observer;
  {
    Diarist strategy;
    Broken runner;
    Experiment experiment(widths(), "widths", evaluator, strategy, folder.path());
    EXPECT_EQ(error_of([&] { experiment.run({}, runner, observer); }), "the cluster is gone");
  }
  Diarist strategy;
  ShuffledRunner runner(by_id, 2, 1);
  Experiment experiment(widths(), "widths", evaluator, strategy, folder.path());
  EXPECT_EQ(experiment.n_trials(), 4);
  EXPECT_EQ(experiment.n_interrupted(), 2);
  EXPECT_EQ(experiment.run({}, runner, observer), ExperimentEnding::Exhausted);
  EXPECT_EQ(runner.n_recovered, 2);
  EXPECT_EQ(runner.ended.size(), 26u);
}

TEST(Concurrency, RunsMergedJobsAgainAsTheyWere) {
  const TemporaryFolder folder;
  Elsewhere evaluator;
  /// Stops as soon as nine have begun.
  class StopsEarly final : public ExperimentObserver {
   public:
    void on_begin(const Proposal&) override { ++n_begun; }
    bool stop_requested() override { return n_begun >= 9; }
    int64_t n_begun = 0;
  };
  {
    Diarist strategy;
    StopsEarly observer;
    ShuffledRunner runner(by_id, 3, 1);
    Experiment experiment(widths(), "widths", evaluator, strategy, folder.path());
    EXPECT_EQ(experiment.run({.merge = 3}, runner, observer), ExperimentEnding::Stopped);
  }
  Diarist strategy;
  ExperimentObserver observer;
  ShuffledRunner runner(by_id, 2, 1);
  Experiment experiment(widths(), "widths", evaluator, strategy, folder.path());
  EXPECT_EQ(experiment.n_interrupted(), 9);
  EXPECT_EQ(experiment.run({}, runner, observer), ExperimentEnding::Exhausted);
  EXPECT_EQ(std::vector<size_t>(runner.sizes.begin(), runner.sizes.begin() + 4),
            (std::vector<size_t>{3, 3, 3, 1}));
  EXPECT_THAT(std::vector<int64_t>(runner.began.begin(), runner.began.begin() + 4),
              ElementsAre(0, 1, 2, 3));
}

TEST(Concurrency, StopsEarlyByWhatTheStrategyKnowsWhicheverTrialEndsFirst) {
  const auto learning = [](const Proposal& proposal) {
    const auto last = static_cast<double>(proposal.id % 7);
    return Evaluation{.objectives = {last}, .intermediate = {last / 2, last}};
  };
  const auto floors = [](const Experiment& experiment) {
    std::vector<std::vector<double>> all;
    for (const Trial& trial : experiment.trials()) {
      all.push_back(trial.floors);
    }
    return all;
  };
  const ExperimentOptions options{.merge = 2, .early_stop = StopRule::Median};
  Elsewhere evaluator;
  ExperimentObserver observer;
  std::vector<std::vector<double>> expected;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const TemporaryFolder folder;
    // The last seeds in two parts.
    for (const int64_t max_trials : {seed < 10 ? 0 : 13, 0}) {
      Diarist strategy;
      ShuffledRunner runner(learning, 2, seed);
      Experiment experiment(widths(), "widths", evaluator, strategy, folder.path());
      ExperimentOptions limited = options;
      limited.max_trials = max_trials;
      experiment.run(limited, runner, observer);
      if (max_trials == 0 && expected.empty()) {
        expected = floors(experiment);
      } else if (max_trials == 0 && seed < 10) {
        EXPECT_EQ(floors(experiment), expected);
      }
      for (const Trial& trial : experiment.trials()) {
        MedianStop rule(Direction::Maximise);
        const int64_t n_told = trial.job == trial.proposal.id ? trial.n_told : trial.n_told - 1;
        for (int64_t id = 0; id < n_told; ++id) {
          rule.add(learning({.id = id}).intermediate);
        }
        EXPECT_EQ(trial.floors, rule.floors()) << "trial " << trial.proposal.id;
      }
    }
  }
  ASSERT_EQ(expected.size(), 30u);
  EXPECT_TRUE(expected[3].empty());
  EXPECT_EQ(expected[29].size(), 2u);
}

TEST(Concurrency, RefusesImpossibleNumbers) {
  const TemporaryFolder folder;
  Elsewhere evaluator;
  Diarist strategy;
  ExperimentObserver observer;
  Experiment experiment(widths(), "widths", evaluator, strategy, folder.path());
  EXPECT_EQ(error_of([&] { experiment.run({.concurrency = 0}, observer); }),
            "experiment: concurrency must be at least 1, got 0");
  EXPECT_EQ(error_of([&] { experiment.run({.merge = 0}, observer); }),
            "experiment: merge must be at least 1, got 0");
}

}  // namespace
}  // namespace retia
