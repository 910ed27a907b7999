#include <gmock/gmock.h>

#include <set>

#include "retia/engine/base/random.h"
#include "retia/tests/apps/processes.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// What `show` tells of the trials of an experiment, without when, where and how often they ran.
std::vector<Json> trials_in(const std::filesystem::path& run) {
  Json trials = Json::parse(run_program({"show", run, "--format", "json"}).out);
  for (Json& trial : trials) {
    for (const char* fleeting : {"seconds", "started", "ended", "host", "attempts", "log"}) {
      EXPECT_EQ(trial.erase(fleeting), 1u) << fleeting;
    }
  }
  return trials;
}

/// The process that forks trials, and those.
std::vector<pid_t> workers_of(pid_t manager) {
  std::vector<pid_t> workers;
  for (const pid_t server : children_of(manager)) {
    workers.push_back(server);
    for (const pid_t trial : children_of(server)) {
      workers.push_back(trial);
    }
  }
  return workers;
}

class Runners : public testing::Test {
 protected:
  Words explore(const std::string& name, const std::string& runner, const Words& more) const {
    const Words words = {"explore",
                         "--runner",
                         runner,
                         "--concurrency",
                         "2",
                         "--seed",
                         "5",
                         "--threads",
                         "1",
                         "--quiet",
                         "--out",
                         folder_ / name,
                         "--batch-size",
                         "8"};
    return joined(joined(words, little_data()), more);
  }
  int run(const Words& words) const { return Process(words, log()).wait(); }
  std::filesystem::path log() const { return folder_ / "output.txt"; }
  std::string output() const { return read_file(log()); }

  /// Expects an experiment with local processes to be as the one in this process is.
  void expect_equal(const std::string& name, const Words& more) const {
    for (const std::string runner : {"inline", "local"}) {
      ASSERT_EQ(run(explore(name + "-" + runner, runner, more)), kDone) << output();
    }
    const std::vector<Json> there = trials_in(folder_ / (name + "-local"));
    EXPECT_GT(there.size(), 3u);
    EXPECT_EQ(there, trials_in(folder_ / (name + "-inline")));
    EXPECT_FALSE(std::filesystem::exists(folder_ / (name + "-local") / "trials"));
  }

  const TemporaryFolder folder_;
};

TEST_F(Runners, TrainToTheSameNumbers) {
  expect_equal("grid", {"--space", "tiny", "--strategy", "grid", "--epochs", "1"});
}

TEST_F(Runners, GoOnWithTheWeightsOfOtherTrials) {
  expect_equal("asha", {"--space", "tiny", "--strategy", "asha", "--set", "strategy.min_epochs=1",
                        "--set", "strategy.max_epochs=4", "--set", "strategy.reduction=2",
                        "--max-trials", "8", "--set", "space.width_choice=true"});
  const std::vector<Json> trials = trials_in(folder_ / "asha-local");
  EXPECT_TRUE(std::any_of(trials.begin(), trials.end(),
                          [](const Json& trial) { return trial.at("continues") >= 0; }));
}

TEST_F(Runners, GiveTheSameScoresAndFailuresOfACommand) {
  expect_equal("command",
               {"--space", "tiny", "--strategy", "random", "--evaluator", "command", "--set",
                "evaluator.command=test $RETIA_TRIAL != 2 || { echo no >&2; exit 1; }; wc -c"});
}

TEST_F(Runners, MergeModelsToTheSameNumbers) {
  expect_equal("merged",
               {"--space", "tiny", "--strategy", "grid", "--epochs", "1", "--merge", "2"});
}

TEST_F(Runners, ChangeNothingWhenTheyAreKilledFiftyTimes) {
  constexpr int64_t kTrials = 100, kKills = 50;
  const auto words = [&](const std::string& name) {
    return explore(name, "local",
                   {"--resume",
                    "--space",
                    "spos_chain",
                    "--set",
                    "space.channels=4",
                    "--set",
                    "space.layers=6",
                    "--strategy",
                    "evolution",
                    "--set",
                    "strategy.population=20",
                    "--set",
                    "strategy.sample=5",
                    "--evaluator",
                    "command",
                    "--set",
                    "evaluator.command=sleep 0.05; cksum | cut -d ' ' -f 1",
                    "--set",
                    "runner.retries=1000",
                    "--max-trials",
                    std::to_string(kTrials)});
  };
  double to_begin = 0;
  {
    const double started = now();
    Process undisturbed(words("whole"), log());
    wait_until([&] { return std::filesystem::exists(folder_ / "whole/architecture.json"); });
    to_begin = now() - started;
    ASSERT_EQ(undisturbed.wait(), kDone) << output();
  }

  Random random(1);
  int64_t n_kills = 0, n_managers = 0;
  int ended = -SIGKILL;
  while (ended == -SIGKILL) {
    Process manager(words("killed"), log());
    const double end = now() + 3 * to_begin * random.uniform();
    while (n_kills < kKills && now() < end && parent_of(manager.pid()) != 0) {
      sleep_for(0.4 * to_begin * random.uniform());
      const std::vector<pid_t> workers = workers_of(manager.pid());
      if (!workers.empty() && n_kills < kKills) {
        const int64_t which = random.below(static_cast<int64_t>(workers.size()));
        n_kills += ::kill(workers[static_cast<size_t>(which)], SIGKILL) == 0 ? 1 : 0;
      }
    }
    if (n_kills < kKills) {
      manager.send(SIGKILL);
    }
    ended = manager.wait();
    n_kills += ended == -SIGKILL ? 1 : 0;
    n_managers += ended == -SIGKILL ? 1 : 0;
  }
  EXPECT_EQ(ended, kDone) << output();
  EXPECT_GE(n_kills, kKills);
  EXPECT_GE(n_managers, 5);

  const std::vector<Json> trials = trials_in(folder_ / "killed");
  std::set<int64_t> ids;
  for (const Json& trial : trials) {
    ids.insert(trial.at("trial").get<int64_t>());
  }
  EXPECT_EQ(trials.size(), static_cast<size_t>(kTrials));
  EXPECT_EQ(ids.size(), trials.size());
  EXPECT_TRUE(trials == trials_in(folder_ / "whole"));
  EXPECT_EQ(read_json(folder_ / "killed/architecture.json"),
            read_json(folder_ / "whole/architecture.json"));
}

}  // namespace
}  // namespace retia
