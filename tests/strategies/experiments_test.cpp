#include <gmock/gmock.h>

#include "retia/engine/experiment/experiment.h"
#include "retia/tests/engine/experiment/shuffled_runner.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/strategies/searches.h"
#include "retia/tests/strategies/spaces.h"

namespace retia {
namespace {

/// Nobody evaluates here, and nobody needs models.
class Elsewhere final : public Evaluator {
 public:
  explicit Elsewhere(Direction direction = Direction::Maximise) : direction_(direction) {}
  std::vector<Objective> objectives() const override { return {{"score", direction_}}; }
  bool reads_model() const override { return false; }
  Evaluation evaluate(const Trial&) override { return {}; }
  Json to_json() const override { return {{"name", "elsewhere"}, {"options", Json::object()}}; }

 private:
  Direction direction_;
};

/// A fifth of the architectures fail, whoever tries them.
Evaluation score(const Proposal& proposal) {
  if (proposal.architecture.hash() % 5 == 0) {
    return {.status = TrialStatus::Failed, .error = "out of luck"};
  }
  return {.objectives = {planted(proposal.architecture)}};
}

/// What there is to compare of a trial.
using Told = std::tuple<Proposal, TrialStatus, std::vector<double>, int64_t>;

std::vector<Told> told(const Experiment& experiment) {
  std::vector<Told> all;
  experiment.each_trial([&](const Trial& trial) {
    all.emplace_back(trial.proposal, trial.evaluation.status, trial.evaluation.objectives,
                     trial.n_told);
  });
  return all;
}

/// Kills an experiment, as far as its folder can tell, when so many results have come in.
class Killed final : public std::runtime_error {
 public:
  Killed() : std::runtime_error("killed") {}
};
class Killer final : public ExperimentObserver {
 public:
  explicit Killer(int64_t n_left) : n_left_(n_left) {}
  void on_begin(const Proposal&) override { count(); }
  void on_end(const Trial&) override { count(); }

 private:
  void count() {
    if (n_left_-- == 0) {
      throw Killed();
    }
  }
  int64_t n_left_;
};

constexpr int64_t kTrials = 40;

class Experiments : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Strategy> strategy() const {
    const Json options = GetParam() == "evolution" ? Json{{"population", 8}, {"sample", 3}}
                         : GetParam() == "nsga2"   ? Json{{"population", 8}}
                                                   : Json::object();
    return standard_strategies().make(GetParam(), options, chain_of({3, 3, 3, 3}), 11);
  }

  /// An experiment, or a part of one; how jobs end in what order is drawn from `seed`.
  std::vector<Told> run(const std::filesystem::path& folder, uint64_t seed,
                        ExperimentObserver& observer) {
    const auto proposes = strategy();
    Experiment experiment(chain_of({3, 3, 3, 3}), "chain", evaluator_, *proposes, folder);
    ShuffledRunner runner(score, 3, seed);
    experiment.run({.max_trials = kTrials}, runner, observer);
    return told(experiment);
  }

  Elsewhere evaluator_;
};

TEST_P(Experiments, TryTheSameForALossAsForItsNegative) {
  const auto tried = [&](Direction direction) {
    const auto proposes = strategy();
    Elsewhere evaluator(direction);
    Experiment experiment(chain_of({3, 3, 3, 3}), evaluator, *proposes);
    ExperimentObserver nobody;
    ShuffledRunner runner(
        [&](const Proposal& proposal) {
          Evaluation found = score(proposal);
          for (double& objective : found.objectives) {
            objective = gain({"score", direction}, objective);
            found.intermediate = {objective, objective};
          }
          return found;
        },
        3, 0);
    experiment.run({.max_trials = kTrials, .early_stop = StopRule::Median}, runner, nobody);
    std::vector<Proposal> proposals;
    experiment.each_trial([&](const Trial& trial) { proposals.push_back(trial.proposal); });
    return std::pair(proposals, experiment.best()->proposal);
  };
  EXPECT_EQ(tried(Direction::Maximise), tried(Direction::Minimise));
}

TEST_P(Experiments, TryTheSameWhicheverTrialEndsFirst) {
  ExperimentObserver nobody;
  const TemporaryFolder first;
  const std::vector<Told> expected = run(first.path(), 0, nobody);
  ASSERT_EQ(expected.size(), static_cast<size_t>(kTrials));
  for (uint64_t seed = 1; seed < 25; ++seed) {  // of each of eight strategies
    const TemporaryFolder folder;
    ASSERT_EQ(run(folder.path(), seed, nobody), expected) << "seed " << seed;
  }
}

TEST_P(Experiments, EndAlikeWhereverTheyWereKilled) {
  ExperimentObserver nobody;
  const TemporaryFolder first;
  const std::vector<Told> expected = run(first.path(), 0, nobody);
  for (int64_t n_events = 0; n_events < 2 * kTrials; ++n_events) {
    const TemporaryFolder folder;
    Killer killer(n_events);
    EXPECT_THROW(run(folder.path(), static_cast<uint64_t>(n_events), killer), Killed);
    ASSERT_EQ(run(folder.path(), 99, nobody), expected) << "killed after " << n_events << " events";
  }
}

TEST_P(Experiments, EndAlikeHoweverOftenTheyWereKilled) {
  ExperimentObserver nobody;
  const TemporaryFolder first, folder;
  const std::vector<Told> expected = run(first.path(), 0, nobody);
  Random random(5);
  int64_t n_kills = 0;
  while (true) {
    Killer killer(random.below(9));
    try {
      EXPECT_EQ(run(folder.path(), random.next(), killer), expected);
      break;
    } catch (const Killed&) {
      ++n_kills;
    }
  }
  EXPECT_GT(n_kills, 4);
}

TEST_P(Experiments, GoOnWithAnotherConcurrency) {
  ExperimentObserver nobody;
  const TemporaryFolder folder;
  std::vector<Told> all;
  for (const int64_t concurrency : {3, 1, 5}) {
    const auto proposes = strategy();
    Experiment experiment(chain_of({3, 3, 3, 3}), "chain", evaluator_, *proposes, folder.path());
    const std::vector<Told> former = told(experiment);
    EXPECT_EQ(former, all);
    ShuffledRunner runner(score, concurrency, 3);
    experiment.run({.max_trials = static_cast<int64_t>(all.size()) + 9}, runner, nobody);
    all = told(experiment);
  }
  EXPECT_EQ(all.size(), 27u);
}

INSTANTIATE_TEST_SUITE_P(Of, Experiments,
                         testing::Values("asha", "evolution", "local_search", "nsga2", "random",
                                         "reinforce", "spos_evolution", "tpe"),
                         [](const auto& of) { return of.param; });

TEST(Experiment, TriesTheFourModelsOfAGridOnceAndStops) {
  const TemporaryFolder folder;
  Elsewhere evaluator;
  ExperimentObserver nobody;
  const auto grid = standard_strategies().make("grid", Json::object(), two_by_two(), 0);
  Experiment experiment(two_by_two(), "two_by_two", evaluator, *grid, folder.path());
  ShuffledRunner runner([](const Proposal&) { return Evaluation{.objectives = {1}}; }, 3, 1);
  EXPECT_EQ(experiment.run({}, runner, nobody), ExperimentEnding::Exhausted);
  std::set<Architecture> distinct;
  for (const Trial& trial : experiment.trials()) {
    distinct.insert(trial.proposal.architecture);
  }
  EXPECT_EQ(experiment.n_trials(), 4);
  EXPECT_EQ(distinct.size(), 4u);
}

}  // namespace
}  // namespace retia
