#include <ATen/TensorOperators.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <set>

#include "retia/apps/workbench.h"
#include "retia/engine/experiment/trial_store.h"
#include "retia/tests/apps/processes.h"
#include "retia/tests/engine/distributed/in_ranks.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Words settings(const Words& assignments) {
  Words words;
  for (const std::string& assignment : assignments) {
    words = joined(words, {"--set", assignment});
  }
  return words;
}

class Distributed : public testing::Test {
 protected:
  using Processes = std::vector<std::unique_ptr<Process>>;

  /// The same command on `n` ranks, as torchrun would start them.
  Processes start(int64_t n, const Words& words) const {
    const std::string port = std::to_string(free_port());
    Processes ranks;
    for (int64_t r = 0; r < n; ++r) {
      const std::string rank = std::to_string(r);
      ranks.push_back(std::make_unique<Process>(
          words, log(r),
          Words{"RANK=" + rank, "LOCAL_RANK=" + rank, "WORLD_SIZE=" + std::to_string(n),
                "MASTER_ADDR=127.0.0.1", "MASTER_PORT=" + port}));
    }
    return ranks;
  }

  /// Runs it to its end on `n` ranks, or without any for 0.
  void run(int64_t n, const Words& words) const {
    if (n == 0) {
      ASSERT_EQ(Process(words, log(0)).wait(), kDone) << output(0);
      return;
    }
    const Processes ranks = start(n, words);
    for (int64_t r = 0; r < n; ++r) {
      ASSERT_EQ(ranks[static_cast<size_t>(r)]->wait(), kDone) << output(r);
    }
    for (int64_t r = 1; r < n; ++r) {
      EXPECT_EQ(output(r), "") << "rank " << r << " is not quiet";
    }
  }

  std::filesystem::path log(int64_t rank) const {
    return folder_ / ("rank-" + std::to_string(rank) + ".txt");
  }
  std::string output(int64_t rank) const { return read_file(log(rank)); }

  /// A long search of few and small steps.
  Words long_search(const std::string& name, const Words& more = {}) const {
    return joined(
        {"search", "--space", "tiny", "--data", "synthetic", "--batch-size", "8", "--epochs", "3",
         "--threads", "1", "--precision", "fp64", "--out", folder_ / name},
        joined(settings({"data.synthetic.n_train=2048", "data.synthetic.n_test=16",
                         "data.augment.crop_padding=1", "trainer.sync_batch_norm=true"}),
               more));
  }
  /// Waits until its first epoch is saved, and a little longer.
  void wait_for_checkpoint(const std::string& name) const {
    wait_until([&] { return !CheckpointStore(folder_ / name / "checkpoints").steps().empty(); });
    sleep_for(0.05);
  }

  const TemporaryFolder folder_;
};

/// Expects two runs to have come to the same, to rounding.
void expect_near_runs(const std::filesystem::path& a, const std::filesystem::path& b) {
  EXPECT_EQ(read_json(a / "architecture.json"), read_json(b / "architecture.json"));
  const auto checkpoint = [](const std::filesystem::path& run) {
    return CheckpointStore(newest_checkpoints(run)).newest([](const auto&) {}).value();
  };
  const Checkpoint first = checkpoint(a), second = checkpoint(b);
  ASSERT_EQ(first.tensors.size(), second.tensors.size());
  for (const auto& [name, tensor] : first.tensors) {
    ASSERT_TRUE(second.tensors.contains(name)) << name;
    if (tensor.numel() > 0) {
      const at::Tensor difference = (tensor - second.tensors.at(name)).abs().max();
      EXPECT_LT(difference.item<double>(), 1e-10) << name;
    }
  }
  const std::vector<Json> lines = metrics_of(a), others = metrics_of(b);
  ASSERT_EQ(lines.size(), others.size());
  for (size_t i = 0; i < lines.size(); ++i) {
    for (const auto& [key, value] : lines[i].items()) {
      if (key.rfind("communication", 0) != 0) {
        EXPECT_NEAR(value.get<double>(), others[i].at(key).get<double>(), 1e-9) << key;
      }
    }
  }
}

/// What the final search of a run has tried so far, and what came of it.
std::vector<Json> scores_of(const std::filesystem::path& run) {
  const std::filesystem::path folder = run / "final_search";
  std::vector<Json> scores;
  if (!std::filesystem::exists(store_path(folder)) ||
      Database(store_path(folder), DatabaseAccess::Read).is_empty()) {
    return scores;
  }
  for (const Json& trial : list_trials(folder).trials) {
    if (trial.at("status") == TrialStatus::Succeeded) {
      scores.push_back(
          {trial.at("trial"), trial.at("choices"), trial.at("objectives"), trial.at("metrics")});
    }
  }
  return scores;
}

/// An algorithm, a space for it, and settings that bring both down to a second.
struct Case {
  std::string name, algorithm, space;
  Words settings;
};

/// One case or more of each algorithm.
std::vector<Case> cases() {
  const Words cells = {"space.channels=2", "space.layers=3", "space.nodes=2"};
  const Words chain = {"space.channels=4", "space.layers=3"};
  const Words evolved =
      joined(chain, {"algorithm.evolution.population=4", "algorithm.evolution.rounds=2",
                     "algorithm.recalibration_batches=2"});
  std::vector<Case> all = {
      {"darts", "darts", "darts_cnn", joined(cells, {"data.augment.cutout=2"})},
      {"darts_second_order", "darts", "darts_cnn", joined(cells, {"algorithm.order=2"})},
      {"darts_watched",
       "darts",
       "tiny",
       {"algorithm.early_stop.eigenvalue_ratio=0.1", "algorithm.early_stop.window=1"}},
      {"enas", "enas", "enas_micro",
       joined(cells, {"algorithm.controller_steps=2", "algorithm.aggregate=2",
                      "algorithm.n_candidates=2", "algorithm.recalibration_batches=2"})},
      {"fairnas", "fairnas", "spos_chain", evolved},
      {"gdas", "gdas", "darts_cnn", cells},
      {"p_darts", "p_darts", "darts_cnn",
       joined(cells, {"algorithm.extra_layers=[0,1]", "algorithm.dropped=[2]",
                      "algorithm.skip_dropout=[0.2,0.3]", "algorithm.warmup=0"})},
      {"pc_darts",
       "pc_darts",
       "darts_cnn",
       {"space.channels=4", "space.layers=3", "space.nodes=2", "algorithm.warmup=0"}},
      {"proxyless", "proxyless", "spos_chain", joined(chain, {"algorithm.warmup=0"})},
      {"random", "random", "spos_chain",
       joined(chain, {"algorithm.n_candidates=3", "algorithm.recalibration_batches=2"})},
      {"spos", "spos", "spos_chain", evolved}};
  for (const std::string& name : Program().algorithms.names()) {
    const bool is_there =
        std::any_of(all.begin(), all.end(), [&](const Case& one) { return one.algorithm == name; });
    if (!is_there) {
      all.push_back({name, name, "tiny", {}});
    }
  }
  return all;
}

class EveryAlgorithm : public Distributed, public testing::WithParamInterface<Case> {};

TEST_P(EveryAlgorithm, OnSeveralRanksEqualsOneOnTheSameBatches) {
  const auto& [name, algorithm, space, more] = GetParam();
  const auto words = [&](const std::string& out) {
    return joined(
        {"search", "--space", space, "--algorithm", algorithm, "--data", "digits", "--batch-size",
         "12", "--epochs", "2", "--threads", "1", "--precision", "fp64", "--out", folder_ / out},
        settings(joined({"data.limit=48", "data.augment.crop_padding=1",
                         "trainer.sync_batch_norm=true", "trainer.digest_every=1"},
                        more)));
  };
  ASSERT_NO_FATAL_FAILURE(run(0, words("one")));
  for (const int64_t n : {2, 3}) {
    if (n == 3 && name != "darts" && name != "spos") {
      continue;
    }
    const std::string out = "of-" + std::to_string(n);
    ASSERT_NO_FATAL_FAILURE(run(n, words(out)));
    expect_near_runs(folder_ / "one", folder_ / out);
  }
}

INSTANTIATE_TEST_SUITE_P(Searches, EveryAlgorithm, testing::ValuesIn(cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST_F(Distributed, RetrainingOnSeveralRanksEqualsOne) {
  ASSERT_NO_FATAL_FAILURE(run(0, long_search("search", settings({"trainer.epochs=1"}))));
  const auto words = [&](const std::string& out) {
    return joined(
        {"retrain", "--space", "tiny", "--architecture", folder_ / "search/architecture.json",
         "--data", "synthetic", "--batch-size", "8", "--epochs", "2", "--threads", "1",
         "--precision", "fp64", "--out", folder_ / out},
        settings({"data.synthetic.n_train=128", "data.synthetic.n_test=40",
                  "trainer.sync_batch_norm=true"}));
  };
  ASSERT_NO_FATAL_FAILURE(run(0, words("one")));
  const std::string one = output(0);
  ASSERT_NO_FATAL_FAILURE(run(2, words("two")));
  expect_near_runs(folder_ / "one", folder_ / "two");
  const auto end = [](const std::string& text) { return text.substr(text.find("parameters")); };
  EXPECT_EQ(end(output(0)), end(one));
}

TEST_F(Distributed, RanksStopWhereOneIsKilledAndOneGoesOnToTheSameNumbers) {
  ASSERT_NO_FATAL_FAILURE(run(0, long_search("whole")));
  for (const size_t victim : {1, 0}) {
    const std::string name = "killed-" + std::to_string(victim);
    const Words words = long_search(name, {"--resume", "--set", "run.timeout=20"});
    const Processes ranks = start(2, words);
    wait_for_checkpoint(name);
    ranks[victim]->send(SIGKILL);
    const double killed = now();
    const size_t survivor = 1 - victim;
    EXPECT_EQ(ranks[survivor]->wait(), kFailed);
    EXPECT_LT(now() - killed, 20);
    EXPECT_THAT(output(static_cast<int64_t>(survivor)),
                AllOf(HasSubstr("retia: rank " + std::to_string(victim)),
                      HasSubstr("does not answer any more"), HasSubstr("--resume")));
    ranks[victim]->wait();
    ASSERT_NO_FATAL_FAILURE(run(0, words));
    EXPECT_THAT(output(0), HasSubstr("resumed after step "));
    expect_near_runs(folder_ / "whole", folder_ / name);
  }
}

TEST_F(Distributed, RanksThatLoseOneInTheFinalSearchGoOnToTheSameTrials) {
  const auto words = [&](const std::string& out) {
    return joined({"search", "--space", "spos_chain", "--algorithm", "spos", "--data", "digits",
                   "--batch-size", "12", "--epochs", "1", "--threads", "1", "--resume", "--out",
                   folder_ / out},
                  settings({"data.limit=96", "space.channels=4", "space.layers=4",
                            "algorithm.evolution.population=10", "algorithm.evolution.rounds=6",
                            "algorithm.recalibration_batches=4", "run.timeout=20"}));
  };
  ASSERT_NO_FATAL_FAILURE(run(2, words("whole")));
  const std::vector<Json> expected = scores_of(folder_ / "whole");
  ASSERT_GT(expected.size(), 30);

  const Processes ranks = start(2, words("killed"));
  wait_until([&] { return scores_of(folder_ / "killed").size() >= 5; });
  ranks[1]->send(SIGKILL);
  EXPECT_EQ(ranks[0]->wait(), kFailed);
  EXPECT_THAT(output(0), HasSubstr("retia: rank 1 of 2 does not answer any more"));
  EXPECT_LT(scores_of(folder_ / "killed").size(), expected.size()) << "not in the middle";
  for (const int64_t n : {3, 0}) {
    const std::string out = "by-" + std::to_string(n);
    std::filesystem::copy(folder_ / "killed", folder_ / out,
                          std::filesystem::copy_options::recursive);
    ASSERT_NO_FATAL_FAILURE(run(n, words(out)));
    EXPECT_EQ(scores_of(folder_ / out), expected) << n;
    EXPECT_EQ(read_json(folder_ / out / "architecture.json"),
              read_json(folder_ / "whole/architecture.json"));
  }
}

TEST_F(Distributed, RanksStopWithinTheTimeoutWhereOneHangs) {
  for (const size_t hung : {2, 0}) {  // rank 0 keeps the store that tells who hangs
    const std::string name = "hung-" + std::to_string(hung);
    const Processes ranks =
        start(3, long_search(name, settings({"run.timeout=4", "trainer.batch_size=6"})));
    wait_for_checkpoint(name);
    ranks[hung]->send(SIGSTOP);
    const double stopped = now();
    for (size_t r = 0; r < 3; ++r) {
      if (r != hung) {
        EXPECT_EQ(ranks[r]->wait(), kFailed);
        EXPECT_THAT(output(static_cast<int64_t>(r)),
                    HasSubstr("retia: rank " + std::to_string(hung)));
        EXPECT_THAT(output(static_cast<int64_t>(r)), HasSubstr("does not answer any more"));
      }
    }
    EXPECT_LT(now() - stopped, 4 + 20);
  }
}

TEST_F(Distributed, ASignalToOneStopsAllAfterTheSameStepAndAnyNumberGoesOn) {
  ASSERT_NO_FATAL_FAILURE(run(2, long_search("whole")));
  const Words words = long_search("stopped", {"--resume"});
  const Processes ranks = start(2, words);
  wait_for_checkpoint("stopped");
  ranks[1]->send(SIGTERM);
  EXPECT_EQ(ranks[0]->wait(), kInterrupted);
  EXPECT_EQ(ranks[1]->wait(), kInterrupted);
  EXPECT_THAT(output(0), HasSubstr("continue with the same command and --resume"));
  EXPECT_EQ(output(1), "");
  const int64_t step = CheckpointStore(folder_ / "stopped/checkpoints").steps().back();
  EXPECT_NE(step % 128, 0) << "not in the middle";

  std::filesystem::copy(folder_ / "stopped", folder_ / "by-three",
                        std::filesystem::copy_options::recursive);
  ASSERT_NO_FATAL_FAILURE(run(2, words));
  const Checkpoint whole = newest_checkpoint(folder_ / "whole");
  const Checkpoint parts = newest_checkpoint(folder_ / "stopped");
  for (const auto& [name, tensor] : whole.tensors) {
    EXPECT_TRUE(tensor.equal(parts.tensors.at(name))) << name;
  }
  ASSERT_NO_FATAL_FAILURE(run(4, long_search("by-three", {"--resume"})));
  expect_near_runs(folder_ / "whole", folder_ / "by-three");
}

TEST_F(Distributed, TellsInALineWhatCannotBe) {
  const auto line_of = [&](const Words& words, const Words& variables) {
    EXPECT_EQ(Process(words, log(0), variables).wait(), kFailed);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "bad"));
    const std::string line = output(0);
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    return line;
  };
  EXPECT_THAT(line_of(long_search("bad"), {"RANK=0"}), HasSubstr("RANK but not WORLD_SIZE"));
  const Words second = {"RANK=1", "LOCAL_RANK=1", "WORLD_SIZE=2", "MASTER_ADDR=127.0.0.1",
                        "MASTER_PORT=" + std::to_string(free_port())};
  EXPECT_THAT(line_of(long_search("bad", {"--set", "run.timeout=1"}), second),
              HasSubstr("rank 1 of 2 cannot reach rank 0"));
  EXPECT_THAT(
      line_of({"explore", "--space", "tiny", "--data", "digits", "--out", folder_ / "bad"}, second),
      AllOf(HasSubstr("explore is one process, but its launcher starts 2"),
            HasSubstr("--runner local --concurrency 2")));

  const Processes ranks = start(3, long_search("bad"));
  for (size_t r = 0; r < 3; ++r) {
    EXPECT_EQ(ranks[r]->wait(), kFailed);
    EXPECT_THAT(output(static_cast<int64_t>(r)),
                HasSubstr("a batch of 8 samples cannot be shared evenly by 3 ranks"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder_ / "bad"));
}

}  // namespace
}  // namespace retia
