#include <gmock/gmock.h>

#include <set>

#include "retia/engine/base/random.h"
#include "retia/engine/experiment/trial_store.h"
#include "retia/tests/apps/processes.h"
#include "retia/trainers/data/split_record.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// Expects each file that is not being written to be whole.
void expect_readable_files(const std::filesystem::path& run) {
  if (!std::filesystem::exists(run)) {
    return;
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(run)) {
    const std::filesystem::path& path = entry.path();
    if (path.extension() == ".json") {
      EXPECT_EQ(error_of([&] { read_json(path); }), "(no error)");
    } else if (path.filename() == "split.safetensors") {
      EXPECT_EQ(error_of([&] { read_split(path.parent_path()); }), "(no error)");
    } else if (path.extension() == ".safetensors") {
      EXPECT_EQ(error_of([&] { read_checkpoint(path); }), "(no error)");
    } else if (path.extension() == ".jsonl") {
      EXPECT_NO_THROW(metrics_of(run));
    }
  }
}

class Interrupted : public testing::Test {
 protected:
  /// A search of `epochs` epochs of `steps` steps each.
  Words search(const std::string& name, int64_t steps, int64_t epochs, const Words& more) const {
    return joined(
        {"search", "--space", "tiny", "--data", "synthetic", "--set",
         "data.synthetic.n_train=" + std::to_string(16 * steps), "--set",
         "data.synthetic.n_test=16", "--set", "data.augment.crop_padding=1", "--batch-size", "8",
         "--epochs", std::to_string(epochs), "--threads", "1", "--out", folder_ / name},
        more);
  }
  int run(const Words& words) const { return Process(words, log()).wait(); }
  std::filesystem::path log() const { return folder_ / "output.txt"; }
  std::string output() const { return read_file(log()); }
  bool exists(const std::string& file) const { return std::filesystem::exists(folder_ / file); }

  const TemporaryFolder folder_;
};

TEST_F(Interrupted, StopsInTheMiddleOfAnEpochAndResumesToTheSameNumbers) {
  constexpr int64_t kSteps = 256;
  for (const std::string algorithm : {"darts", "spos"}) {
    const Words more = {"--algorithm", algorithm};
    ASSERT_EQ(run(search("whole-" + algorithm, kSteps, 3, more)), kDone) << output();

    const std::string name = "stopped-" + algorithm;
    const Words words = search(name, kSteps, 3, more);
    Process process(words, log());
    wait_until([&] { return exists(name + "/checkpoints/step-000256.safetensors"); });
    sleep_for(0.1);
    process.send(SIGINT);
    EXPECT_EQ(process.wait(), kInterrupted);
    const std::vector<int64_t> steps = CheckpointStore(folder_ / name / "checkpoints").steps();
    EXPECT_NE(steps.back() % kSteps, 0) << "not in the middle";
    EXPECT_THAT(output(), HasSubstr("stopped after step " + std::to_string(steps.back())));
    EXPECT_THAT(output(), HasSubstr("continue with the same command and --resume"));
    EXPECT_FALSE(exists(name + "/finished.json"));
    EXPECT_EQ(run(words), kFailed);

    EXPECT_EQ(run(joined(words, {"--resume"})), kDone) << output();
    EXPECT_THAT(output(), HasSubstr("resumed after step " + std::to_string(steps.back())));
    expect_equal_runs(folder_ / ("whole-" + algorithm), folder_ / name);
  }
}

/// The trials that have ended so far, without when and how long.
std::vector<Json> trials_of(const std::filesystem::path& run) {
  std::vector<Json> trials;
  if (!std::filesystem::exists(store_path(run)) ||
      Database(store_path(run), DatabaseAccess::Read).is_empty()) {
    return trials;
  }
  for (Json& trial : list_trials(run).trials) {
    if (trial.at("status") != TrialStatus::Running) {
      for (const char* fleeting : {"seconds", "started", "ended"}) {
        trial.erase(fleeting);
      }
      trials.push_back(std::move(trial));
    }
  }
  return trials;
}

TEST_F(Interrupted, StopsAnExplorationWhichResumesToTheSameTrials) {
  const auto explore = [&](const std::string& name) {
    Words words = search(name, 64, 1, {"--strategy", "random", "--max-trials", "5"});
    words.front() = "explore";
    return words;
  };
  ASSERT_EQ(run(explore("whole")), kDone) << output();

  const Words words = explore("stopped");
  Process process(words, log());
  wait_until([&] { return trials_of(folder_ / "stopped").size() >= 2; });
  process.send(SIGINT);
  EXPECT_EQ(process.wait(), kInterrupted);
  EXPECT_THAT(output(), HasSubstr("stopped; continue with the same command and --resume"));
  EXPECT_LT(trials_of(folder_ / "stopped").size(), trials_of(folder_ / "whole").size());

  EXPECT_EQ(run(joined(words, {"--resume"})), kDone) << output();
  EXPECT_EQ(trials_of(folder_ / "stopped"), trials_of(folder_ / "whole"));
  EXPECT_EQ(read_json(folder_ / "stopped/architecture.json"),
            read_json(folder_ / "whole/architecture.json"));
}

TEST_F(Interrupted, StopsOrIsKilledInTheMiddleOfAnEvolutionWhichResumesToTheSameTrials) {
  const auto evolve = [&](const std::string& name, const Words& more) {
    const Words words = {"search", "--algorithm", "spos",      "--space", "spos_chain",
                         "--data", "synthetic",   "--threads", "1",       "--batch-size",
                         "8",      "--epochs",    "1",         "--out",   folder_ / name};
    const Words settings = {"space.channels=4",
                            "space.layers=4",
                            "data.synthetic.n_train=1024",
                            "data.synthetic.n_test=16",
                            "algorithm.evolution.population=10",
                            "algorithm.evolution.parents=4",
                            "algorithm.evolution.crossovers=4",
                            "algorithm.evolution.mutations=4",
                            "algorithm.evolution.rounds=4"};
    Words all = joined(words, more);
    for (const std::string& setting : settings) {
      all = joined(all, {"--set", setting});
    }
    return all;
  };
  const std::filesystem::path whole = folder_ / "whole", parts = folder_ / "parts";
  ASSERT_EQ(run(evolve("whole", {})), kDone) << output();
  const std::vector<Json> expected = trials_of(whole / "final_search");
  ASSERT_EQ(expected.size(), 40u);

  const auto end_by = [&](int signal, size_t n_trials) {
    Process process(evolve("parts", {"--resume"}), log());
    wait_until([&] { return trials_of(parts / "final_search").size() >= n_trials; });
    process.send(signal);
    return process.wait();
  };
  EXPECT_EQ(end_by(SIGINT, 13), kInterrupted);  // in the second round
  EXPECT_THAT(output(), HasSubstr("stopped in the final search; continue with the same command"));
  EXPECT_EQ(end_by(SIGKILL, 24), -SIGKILL);  // in the third
  EXPECT_LT(trials_of(parts / "final_search").size(), expected.size()) << "not in the middle";
  expect_readable_files(parts);
  ASSERT_EQ(run(evolve("parts", {"--resume"})), kDone) << output();
  EXPECT_THAT(output(), HasSubstr("final search: resumed after trial"));
  EXPECT_THAT(output(), HasSubstr("best 0."));

  EXPECT_EQ(trials_of(parts / "final_search"), expected);
  expect_equal_runs(whole, parts);
  std::set<Json> distinct;
  for (const Json& trial : expected) {
    distinct.insert(trial.value("choices", Json()));
  }
  EXPECT_EQ(distinct.size(), expected.size()) << "an architecture was tried twice";
  for (int rank = 1; rank <= 4; ++rank) {
    const std::string file = "final_search/top/" + std::to_string(rank) + ".json";
    EXPECT_EQ(read_json(parts / file), read_json(whole / file)) << file;
  }
  EXPECT_FALSE(exists("parts/final_search/top/5.json"));
  EXPECT_EQ(read_json(parts / "final_search/top/1.json"),
            read_json(parts / "final_search/architecture.json"));
}

TEST_F(Interrupted, SurvivesBeingKilledAtAnyMoment) {
  constexpr int64_t kSteps = 16, kEpochs = 25, kKills = 10;
  const double started = now();
  ASSERT_EQ(run(search("whole", kSteps, kEpochs, {})), kDone) << output();
  const double whole_run = now() - started;

  Random random(1);
  int64_t kills = 0;
  for (int64_t n_runs = 0; kills < kKills && n_runs < 4 * kKills; ++n_runs) {
    const std::string name = "killed-" + std::to_string(n_runs);
    const Words words = search(name, kSteps, kEpochs, {"--resume"});
    int ended = -SIGKILL;
    while (ended == -SIGKILL && kills < kKills) {
      Process process(words, log());
      sleep_for(random.uniform() * whole_run);
      process.send(SIGKILL);
      ended = process.wait();
      kills += ended == -SIGKILL ? 1 : 0;
      expect_readable_files(folder_ / name);
    }
    ASSERT_EQ(run(words), kDone) << output();
    expect_readable_files(folder_ / name);
    expect_equal_runs(folder_ / "whole", folder_ / name);
  }
  EXPECT_EQ(kills, kKills);
}

TEST_F(Interrupted, GoesOnWhereItWasKilledBeforeAStageHadSaved) {
  const auto words = [&](const std::string& name) {
    Words all = {"search", "--algorithm", "p_darts", "--space",      "darts_cnn", "--data",
                 "digits", "--threads",   "1",       "--batch-size", "12",        "--epochs",
                 "2",      "--resume",    "--out",   folder_ / name};
    for (const char* setting :
         {"space.channels=2", "space.layers=3", "space.nodes=2", "data.limit=48",
          "algorithm.extra_layers=[0,1]", "algorithm.dropped=[2]",
          "algorithm.skip_dropout=[0.2,0.3]", "algorithm.warmup=0"}) {
      all = joined(all, {"--set", setting});
    }
    return all;
  };
  ASSERT_EQ(run(words("whole")), kDone) << output();
  ASSERT_EQ(run(words("killed")), kDone) << output();
  for (const char* file : {"finished.json", "architecture.json", "checkpoints/stage1"}) {
    EXPECT_GT(std::filesystem::remove_all(folder_ / "killed" / file), 0u);
  }
  std::filesystem::create_directory(folder_ / "killed/checkpoints/stage1");
  ASSERT_EQ(run(words("killed")), kDone) << output();
  expect_equal_runs(folder_ / "whole", folder_ / "killed");
}

TEST_F(Interrupted, MarksTheBestWhereItWasKilledBeforeItHad) {
  const Words words = search("run", 4, 1, {"--resume"});
  ASSERT_EQ(run(words), kDone) << output();
  for (const char* file : {"run/finished.json", "run/checkpoints/best.safetensors"}) {
    EXPECT_TRUE(std::filesystem::remove(folder_ / file));
  }
  ASSERT_EQ(run(words), kDone) << output();
  EXPECT_TRUE(exists("run/checkpoints/best.safetensors"));
}

TEST_F(Interrupted, LetsNoSecondProcessIntoAFolder) {
  const Words words = search("run", 256, 1000, {"--resume"});
  const Process first(words, folder_ / "first.txt");
  wait_until([&] { return exists("run/metrics.jsonl"); });
  EXPECT_EQ(run(words), kFailed);
  EXPECT_EQ(output(), "retia: another process is running in " + (folder_ / "run").string() +
                          " (pid " + std::to_string(first.pid()) +
                          "): wait for it, or give another --out\n");
}

}  // namespace
}  // namespace retia
