#include "retia/engine/experiment/experiment.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <set>
#include <stdexcept>

#include "retia/engine/io/files.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/reshape.h"
#include "retia/engine/space/architecture_json.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

using testing::ElementsAre;

/// One layer of 1 to 6 outputs.
ir::Graph six_widths() {
  Builder b("six_widths");
  b.output("y",
           b.add("layer", ops::linear({.out = ValueChoice<int64_t>("width", {1, 2, 3, 4, 5, 6})}),
                 {b.input("x", {4})}));
  return b.finish();
}

Architecture width(int64_t n) { return {{"width", {{n - 1}}}}; }

/// The output size of a model of six_widths().
int64_t width_of(const ir::Graph& model) {
  const auto& layer = std::get<ir::Operation>(model.nodes().back().body);
  return layer.parameters().at("out").get<int64_t>();
}

/// Widths 1 to 6 in that order; hears what came of them.
class InOrder final : public Strategy {
 public:
  Answer ask() override {
    if (next_ == 6) {
      return Exhausted{};
    }
    const int64_t id = next_++;
    return Proposal{.id = id, .architecture = width(id + 1)};
  }
  void tell(const Proposal& proposal, const Outcome& outcome) override {
    EXPECT_EQ(proposal, (Proposal{.id = proposal.id, .architecture = width(proposal.id + 1)}));
    heard.push_back(outcome);
  }
  Json state() const override { return next_; }
  void load_state(const Json& state) override { next_ = state; }

  std::vector<Outcome> heard;

 private:
  int64_t next_ = 0;
};

/// Scores a model by a function of its width.
class Fake : public Evaluator {
 public:
  explicit Fake(std::function<Evaluation(int64_t)> score) : score_(std::move(score)) {}
  Evaluation evaluate(const Trial& trial) override {
    widths.push_back(width_of(*trial.model));
    return score_(widths.back());
  }
  Json to_json() const override { return {{"name", "fake"}, {"options", Json::object()}}; }

  std::vector<int64_t> widths;

 private:
  std::function<Evaluation(int64_t)> score_;
};

Evaluation best_at_three(int64_t n) {
  return {.objectives = {-std::abs(static_cast<double>(n) - 3.1)},
          .metrics = {{"width", static_cast<double>(n)}}};
}

std::vector<TrialStatus> statuses(const Experiment& experiment) {
  std::vector<TrialStatus> found;
  for (const Trial& record : experiment.trials()) {
    found.push_back(record.evaluation.status);
  }
  return found;
}

TEST(Experiment, TriesAllThatTheStrategyProposesAndKeepsTheBest) {
  const TemporaryFolder folder;
  InOrder strategy;
  Fake evaluator(best_at_three);
  ExperimentObserver observer;
  Experiment experiment(six_widths(), "six", evaluator, strategy, folder.path());
  EXPECT_EQ(experiment.run({}, observer), ExperimentEnding::Exhausted);
  EXPECT_THAT(evaluator.widths, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(strategy.heard.size(), 6u);
  EXPECT_EQ(strategy.heard[5].objectives, experiment.trials()[5].evaluation.objectives);
  ASSERT_TRUE(experiment.best());
  EXPECT_EQ(experiment.best()->proposal, (Proposal{.id = 2, .architecture = width(3)}));
  EXPECT_EQ(experiment.best()->evaluation.metrics.at("width"), 3);
  EXPECT_EQ(read_architecture(folder / "architecture.json", ir::mutables(six_widths()), "six"),
            width(3));
}

TEST(Experiment, TriesOneModelInADebugRunAndKeepsNothing) {
  InOrder strategy;
  Fake evaluator(best_at_three);
  ExperimentObserver observer;
  const Trial trial = Experiment::debug_run(six_widths(), evaluator, strategy, observer);
  EXPECT_THAT(evaluator.widths, ElementsAre(1));
  EXPECT_EQ(trial.proposal, (Proposal{.id = 0, .architecture = width(1)}));
  EXPECT_EQ(trial.evaluation.status, TrialStatus::Succeeded);
  EXPECT_EQ(trial.evaluation.objectives, best_at_three(1).objectives);
  EXPECT_EQ(trial.evaluation.metrics.at("width"), 1);
  EXPECT_TRUE(strategy.heard.empty());
}

TEST(Experiment, ThrowsWhatGoesWrongInADebugRun) {
  InOrder strategy;
  ExperimentObserver observer;
  Fake broken([](int64_t) -> Evaluation { throw std::runtime_error("no data"); });
  EXPECT_EQ(error_of([&] { Experiment::debug_run(six_widths(), broken, strategy, observer); }),
            "no data");
  Fake failing([](int64_t) { return Evaluation{.status = TrialStatus::Failed, .error = "lost"}; });
  EXPECT_EQ(error_of([&] { Experiment::debug_run(six_widths(), failing, strategy, observer); }),
            "lost");
}

TEST(Experiment, TriesTheSameInMemoryAsInAFolder) {
  Fake evaluator([](int64_t n) -> Evaluation {
    TORCH_CHECK(n != 2, "too narrow");
    return best_at_three(n);
  });
  ExperimentObserver observer;
  InOrder strategy;
  Experiment experiment(six_widths(), evaluator, strategy);
  EXPECT_EQ(experiment.run({.max_trials = 5}, observer), ExperimentEnding::MaxTrials);
  EXPECT_EQ(experiment.trials().size(), 5u);
  EXPECT_EQ(experiment.trials()[1].evaluation.error, "too narrow");
  EXPECT_EQ(experiment.best()->proposal.architecture, width(3));
  EXPECT_EQ(strategy.heard.size(), 4u);
}

TEST(Experiment, KeepsTheSmallestWhereTheEvaluatorMinimises) {
  class Costs final : public Fake {
   public:
    using Fake::Fake;
    std::vector<Objective> objectives() const override { return {{"cost", Direction::Minimise}}; }
  };
  const TemporaryFolder folder;
  InOrder strategy;
  Costs evaluator([](int64_t n) { return Evaluation{.objectives = {n == 5 ? 1.0 : 2.0}}; });
  ExperimentObserver observer;
  Experiment experiment(six_widths(), "six", evaluator, strategy, folder.path());
  experiment.run({}, observer);
  EXPECT_EQ(experiment.best()->proposal.architecture, width(5));
  EXPECT_THAT(strategy.heard[4].objectives, ElementsAre(-1.0));
  EXPECT_THAT(experiment.trials()[4].evaluation.objectives, ElementsAre(1.0));
}

TEST(Experiment, RecordsTrialsThatFailAndGoesOn) {
  const TemporaryFolder folder;
  InOrder strategy;
  Fake evaluator([](int64_t n) -> Evaluation {
    if (n == 1) throw std::runtime_error("out of luck");
    TORCH_CHECK(n != 2, "too narrow");
    if (n == 3) return {.objectives = {std::nan("")}};
    if (n == 4) return {.objectives = {1, 2}};
    if (n == 5) return {.status = TrialStatus::Failed, .error = "worker died"};
    return best_at_three(n);
  });
  ExperimentObserver observer;
  Experiment experiment(six_widths(), "six", evaluator, strategy, folder.path());
  EXPECT_EQ(experiment.run({}, observer), ExperimentEnding::Exhausted);
  const auto failed = TrialStatus::Failed;
  EXPECT_THAT(statuses(experiment),
              ElementsAre(failed, failed, failed, failed, failed, TrialStatus::Succeeded));
  std::vector<std::string> errors;
  for (const Trial& record : experiment.trials()) {
    errors.push_back(record.evaluation.error);
  }
  EXPECT_THAT(errors,
              ElementsAre("out of luck", "too narrow", "the objective 'score' became nan",
                          "the evaluator gave 2 objectives, expected 1", "worker died", ""));
  EXPECT_EQ(strategy.heard[2].status, failed);
  EXPECT_TRUE(strategy.heard[2].objectives.empty());
  EXPECT_EQ(experiment.best()->proposal.id, 5);
}

TEST(Experiment, HasNoBestWhereNothingSucceeded) {
  const TemporaryFolder folder;
  InOrder strategy;
  Fake evaluator([](int64_t) -> Evaluation { throw std::runtime_error("no"); });
  ExperimentObserver observer;
  Experiment experiment(six_widths(), "six", evaluator, strategy, folder.path());
  experiment.run({}, observer);
  EXPECT_FALSE(experiment.best());
  EXPECT_FALSE(std::filesystem::exists(folder / "architecture.json"));
}

TEST(Experiment, RecordsArchitecturesThatMakeNoModelWithoutEvaluatingThem) {
  /// Decides, then decides nothing.
  class Forgets final : public Strategy {
   public:
    Answer ask() override {
      const int64_t id = next_++;
      if (id == 2) {
        return Exhausted{};
      }
      return Proposal{.id = id, .architecture = id == 0 ? width(1) : Architecture{}};
    }
    void tell(const Proposal&, const Outcome&) override {}
    Json state() const override { return next_; }
    void load_state(const Json& state) override { next_ = state; }

   private:
    int64_t next_ = 0;
  };
  const TemporaryFolder folder;
  Forgets strategy;
  Fake evaluator(best_at_three);
  ExperimentObserver observer;
  Experiment experiment(six_widths(), "six", evaluator, strategy, folder.path());
  EXPECT_EQ(experiment.run({}, observer), ExperimentEnding::Exhausted);
  EXPECT_THAT(statuses(experiment), ElementsAre(TrialStatus::Succeeded, TrialStatus::Invalid));
  EXPECT_THAT(experiment.trials()[1].evaluation.error,
              testing::HasSubstr("decides nothing for 'width'"));
  EXPECT_THAT(evaluator.widths, ElementsAre(1));
}

TEST(Experiment, EndsAtItsLimits) {
  const TemporaryFolder folder;
  InOrder strategy;
  Fake evaluator(best_at_three);
  ExperimentObserver observer;
  Experiment experiment(six_widths(), "six", evaluator, strategy, folder.path());
  EXPECT_EQ(experiment.run({.max_trials = 2}, observer), ExperimentEnding::MaxTrials);
  EXPECT_EQ(experiment.trials().size(), 2u);
  EXPECT_EQ(experiment.run({.max_duration = 1e-12}, observer), ExperimentEnding::MaxDuration);
  EXPECT_EQ(experiment.trials().size(), 2u);
  EXPECT_EQ(error_of([&] { experiment.run({.max_trials = -1}, observer); }),
            "experiment: max_trials must be at least 0, got -1");
}

TEST(Experiment, RunsNothingTwiceWhenItIsResumed) {
  const TemporaryFolder folder;
  Fake evaluator([](int64_t n) -> Evaluation {
    TORCH_CHECK(n != 2, "too narrow");
    return best_at_three(n);
  });
  ExperimentObserver observer;
  std::vector<Trial> former;
  {
    InOrder strategy;
    Experiment experiment(six_widths(), "six", evaluator, strategy, folder.path());
    experiment.run({.max_trials = 4}, observer);
    former = experiment.trials();
  }
  std::filesystem::remove(folder / "architecture.json");
  InOrder strategy;
  Experiment experiment(six_widths(), "six", evaluator, strategy, folder.path());
  EXPECT_EQ(experiment.trials(), former);
  EXPECT_EQ(strategy.heard.size(), 3u) << "as many as when it was last asked";
  EXPECT_TRUE(std::filesystem::exists(folder / "architecture.json"));
  EXPECT_EQ(experiment.run({.max_trials = 4}, observer), ExperimentEnding::MaxTrials);
  EXPECT_EQ(experiment.run({}, observer), ExperimentEnding::Exhausted);
  EXPECT_THAT(evaluator.widths, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(experiment.best()->proposal.architecture, width(3));
}

TEST(Experiment, RunsAgainWhatWasStopped) {
  class StopsInFourth final : public ExperimentObserver {
   public:
    void on_begin(const Proposal& proposal) override { stop_ = proposal.id == 3; }
    bool stop_requested() override { return stop_; }

   private:
    bool stop_ = false;
  };
  class Patient final : public Fake {
   public:
    using Fake::Fake;
    Evaluation evaluate(const Trial& trial) override {
      return trial.stop_requested() ? Evaluation{.status = TrialStatus::Stopped}
                                    : Fake::evaluate(trial);
    }
  };
  const TemporaryFolder folder;
  Patient evaluator(best_at_three);
  {
    InOrder strategy;
    StopsInFourth observer;
    Experiment experiment(six_widths(), "six", evaluator, strategy, folder.path());
    EXPECT_EQ(experiment.run({}, observer), ExperimentEnding::Stopped);
    EXPECT_EQ(experiment.trials().size(), 3u);
    EXPECT_EQ(strategy.heard.size(), 3u);
  }
  EXPECT_EQ(list_trials(folder.path()).trials.back().at("status"), "running");
  std::vector<Trial> all;
  {
    InOrder strategy;
    ExperimentObserver observer;
    Experiment experiment(six_widths(), "six", evaluator, strategy, folder.path());
    EXPECT_EQ(experiment.trials().size(), 3u);
    EXPECT_EQ(experiment.n_interrupted(), 1);
    EXPECT_EQ(experiment.run({}, observer), ExperimentEnding::Exhausted);
    EXPECT_THAT(evaluator.widths, ElementsAre(1, 2, 3, 4, 5, 6));
    all = experiment.trials();
  }
  InOrder again;
  EXPECT_EQ(Experiment(six_widths(), "six", evaluator, again, folder.path()).trials(), all);
}

/// Eight widths, of which each depends on all outcomes told before.
class Learning final : public Strategy {
 public:
  Answer ask() override {
    if (next_ == 8) {
      return Exhausted{};
    }
    return Proposal{.id = next_++, .architecture = width(1 + memory_ % 6)};
  }
  void tell(const Proposal& proposal, const Outcome& outcome) override {
    memory_ = memory_ * 7 + (outcome.status == TrialStatus::Succeeded ? 2 + proposal.id : 1);
  }
  Json state() const override { return {next_, memory_}; }
  void load_state(const Json&) override {}

 private:
  int64_t next_ = 0, memory_ = 0;
};

/// Fails the trials of some ids.
class Failing final : public Fake {
 public:
  explicit Failing(std::set<int64_t> ids) : Fake(best_at_three), ids_(std::move(ids)) {}
  Evaluation evaluate(const Trial& trial) override {
    TORCH_CHECK(!ids_.contains(trial.proposal.id), "no memory for trial ", trial.proposal.id);
    return trial.stop_requested() ? Evaluation{.status = TrialStatus::Stopped}
                                  : Fake::evaluate(trial);
  }

 private:
  std::set<int64_t> ids_;
};

/// Stops when the trial `at` begins.
class StopsAt final : public ExperimentObserver {
 public:
  explicit StopsAt(int64_t at) : at_(at) {}
  void on_begin(const Proposal& proposal) override { stop_ = proposal.id == at_; }
  bool stop_requested() override { return stop_; }

 private:
  int64_t at_;
  bool stop_ = false;
};

/// What does not depend on the clock.
std::vector<Json> lasting(const std::filesystem::path& folder) {
  std::vector<Json> trials = list_trials(folder).trials;
  for (Json& trial : trials) {
    for (const char* passing : {"seconds", "started", "ended"}) {
      trial.erase(passing);
    }
  }
  return trials;
}

/// An experiment of which trials 1, 3 and 5 fail, the last of them without being told.
void run_with_failures(const std::filesystem::path& folder) {
  Learning strategy;
  Failing evaluator({1, 3, 5});
  ExperimentObserver observer;
  Experiment(six_widths(), "six", evaluator, strategy, folder).run({.max_trials = 6}, observer);
}

/// Opens an experiment without failures again, lets `with` use it, and runs it to the end.
void resume(const std::filesystem::path& folder, const std::function<void(Experiment&)>& with,
            ExperimentObserver&& observer = ExperimentObserver()) {
  Learning strategy;
  Failing evaluator({});
  Experiment experiment(six_widths(), "six", evaluator, strategy, folder);
  with(experiment);
  experiment.run({.early_stop = StopRule::Median}, observer);
}

TEST(Experiment, RunsFailedTrialsAgainHoweverOftenItIsKilled) {
  const TemporaryFolder whole, killed;
  run_with_failures(whole.path());
  resume(whole.path(), [](Experiment& e) {
    EXPECT_EQ(e.n_trials(), 6);
    EXPECT_EQ(e.retry(), 3);
    EXPECT_EQ(e.n_trials(), 3);
  });
  const std::vector<Json> expected = lasting(whole.path());
  ASSERT_EQ(expected.size(), 8u);
  for (size_t id = 0; id < expected.size(); ++id) {
    const bool failed = id == 1 || id == 3 || id == 5;
    EXPECT_EQ(expected[id].at("status"), "succeeded") << id;
    EXPECT_EQ(expected[id].at("attempts"), failed ? 2 : 1) << id;
    EXPECT_EQ(expected[id].at("failures"),
              failed ? Json{c10::str("no memory for trial ", id)} : Json::array())
        << id;
  }

  run_with_failures(killed.path());
  {
    Learning strategy;
    Failing evaluator({});
    Experiment(six_widths(), "six", evaluator, strategy, killed.path()).retry();
  }  // killed before it ran any
  for (const int64_t id : {1, 3, 5, 6, 7}) {
    resume(
        killed.path(), [](Experiment& e) { EXPECT_GT(e.n_interrupted(), 0); }, StopsAt(id));
  }
  resume(killed.path(), [](Experiment&) {});
  EXPECT_EQ(lasting(killed.path()), expected);
  resume(killed.path(), [](Experiment& e) { EXPECT_EQ(e.n_interrupted(), 0); });
}

TEST(Experiment, RunsAgainOnlyTrialsThatFailed) {
  const TemporaryFolder folder;
  run_with_failures(folder.path());
  resume(folder.path(), [&](Experiment& e) {
    EXPECT_THAT(error_of([&] {
                  e.retry({3, 0});
                }),
                testing::EndsWith("trial 0 is succeeded: only failed trials can run again"));
    EXPECT_THAT(error_of([&] { e.retry({71}); }), testing::EndsWith("has no trial 71"));
    EXPECT_EQ(e.retry({3}), 1);
  });
  const std::vector<Json> found = lasting(folder.path());
  EXPECT_EQ(found[1].at("status"), "failed");
  EXPECT_EQ(found[3].at("status"), "succeeded");
}

TEST(Experiment, EndsWhenTooManyTrialsInARowFail) {
  const TemporaryFolder folder;
  {
    Learning strategy;
    Failing evaluator({0, 2, 3, 4, 5});
    ExperimentObserver observer;
    Experiment experiment(six_widths(), "six", evaluator, strategy, folder.path());
    EXPECT_EQ(experiment.run({.max_failures = 3}, observer), ExperimentEnding::Failures);
    EXPECT_EQ(experiment.n_trials(), 5);
    EXPECT_EQ(experiment.failures().to_string(),
              "3 trials in a row failed, 3 of them with: no memory for trial 2");
  }
  EXPECT_EQ(list_trials(folder.path()).runs.back().at("ending"), "failures");
  resume(folder.path(), [](Experiment& e) { EXPECT_EQ(e.retry(), 4); });
  for (const Json& trial : lasting(folder.path())) {
    EXPECT_EQ(trial.at("status"), "succeeded");
  }
}

TEST(Experiment, KnowsHowLongItHasRunInAll) {
  const TemporaryFolder folder;
  Fake evaluator(best_at_three);
  ExperimentObserver observer;
  double first = 0;
  {
    InOrder strategy;
    Experiment experiment(six_widths(), "six", evaluator, strategy, folder.path());
    experiment.run({.max_trials = 2}, observer);
    first = experiment.seconds();
    EXPECT_GT(first, 0);
  }
  InOrder strategy;
  Experiment experiment(six_widths(), "six", evaluator, strategy, folder.path());
  EXPECT_EQ(experiment.seconds(), first);
  EXPECT_EQ(experiment.run({.max_duration = first}, observer), ExperimentEnding::MaxDuration);
  EXPECT_THAT(evaluator.widths, ElementsAre(1, 2));
  EXPECT_GT(experiment.seconds(), first);
  const std::vector<Json> runs = list_trials(folder.path()).runs;
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].at("ending"), "max_trials");
  EXPECT_EQ(runs[0].at("max_trials"), 2);
  EXPECT_EQ(runs[1].at("ending"), "max_duration");
}

TEST(Experiment, RefusesTheTrialsOfAnother) {
  const TemporaryFolder folder;
  Fake evaluator(best_at_three);
  ExperimentObserver observer;
  {
    InOrder strategy;
    Experiment(six_widths(), "six", evaluator, strategy, folder.path())
        .run({.max_trials = 1}, observer);
  }
  const std::string path = (folder / "experiment.sqlite").string();
  const auto resume = [&](const std::string& space, int64_t asked_before) {
    InOrder strategy;
    strategy.load_state(asked_before);
    Experiment(six_widths(), space, evaluator, strategy, folder.path());
  };
  EXPECT_EQ(error_of([&] { resume("seven", 0); }),
            path + ": the trials are of space \"six\", expected \"seven\"");
  EXPECT_EQ(error_of([&] { resume("six", 1); }),
            path +
                ": trial 0 tried {width: 0}, but the strategy proposes {width: 1} now: resume "
                "with the same space, strategy and seed, or give another --out");
}

TEST(Experiment, RefusesAFolderInWhichAnotherRuns) {
  const TemporaryFolder folder;
  Fake evaluator(best_at_three);
  InOrder first, second;
  {
    const Experiment experiment(six_widths(), "six", evaluator, first, folder.path());
    EXPECT_EQ(error_of([&] { Experiment(six_widths(), "six", evaluator, second, folder.path()); }),
              "another process is running in " + folder.path().string() + " (pid " +
                  std::to_string(::getpid()) + "): wait for it, or give another --out");
  }
  Experiment(six_widths(), "six", evaluator, second, folder.path());
}

}  // namespace
}  // namespace retia
