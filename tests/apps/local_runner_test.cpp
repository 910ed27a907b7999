#include "retia/engine/experiment/local_runner.h"

#include <gmock/gmock.h>

#include "retia/engine/experiment/run_job.h"
#include "retia/engine/space/freeze.h"
#include "retia/models/tiny.h"
#include "retia/tests/apps/processes.h"
#include "retia/trainers/evaluators/classification.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const Architecture kModel = {{"body", {{2}}}, {"skip", {{1}}}};

ir::Graph space() { return tiny({}, {.input = {1, 8, 8}, .n_outputs = 10}); }

Job job(const std::vector<int64_t>& ids) {
  Job made;
  for (const int64_t id : ids) {
    made.trials.push_back(
        {.proposal = {.id = id, .architecture = kModel}, .model = ir::freeze(space(), kModel)});
  }
  return made;
}

/// Sets $trial to the process of the trial, which the keepers of the command are between.
const std::string kTrial = "trial=$(echo $(ps -o ppid= -p $(ps -o ppid= -p $PPID))); ";

/// Whether `happened` within half a minute.
bool comes_true(const std::function<bool()>& happened) {
  for (const double end = now() + 30; !happened() && now() < end;) {
    sleep_for(0.005);
  }
  return happened();
}

/// The number in a file; 0: not there yet.
pid_t number_in(const std::filesystem::path& path) {
  pid_t number = 0;
  std::ifstream(path) >> number;
  return number;
}

/// The process that forks trials for `manager`; 0: there is none.
pid_t server_of(pid_t manager) {
  for (const pid_t child : children_of(manager)) {
    std::ifstream file("/proc/" + std::to_string(child) + "/cmdline");
    std::string words;
    std::getline(file, words);
    if (words.find("--server") != std::string::npos) {
      return child;
    }
  }
  return 0;
}

class LocalRunners : public testing::Test {
 protected:
  TrialSetting setting(const std::string& command) const {
    return {.space = "tiny",
            .evaluator = {{"name", "command"}, {"options", {{"command", command}}}},
            .threads = 1,
            .weights = folder_ / "weights"};
  }

  LocalRunner runner(const TrialSetting& setting, const LocalRunnerOptions& options = {},
                     int64_t concurrency = 2) const {
    return {setting, ir::mutables(space()), folder_.path(), concurrency, options, RETIA_PROGRAM};
  }

  /// The results of `n` trials, in the order of their ids.
  static std::vector<Trial> results(LocalRunner& from, size_t n) {
    std::vector<Trial> all;
    for (const double end = now() + 60; all.size() < n && now() < end;) {
      for (Trial& result : from.wait(1)) {
        all.push_back(std::move(result));
      }
    }
    std::sort(all.begin(), all.end(),
              [](const Trial& a, const Trial& b) { return a.proposal.id < b.proposal.id; });
    EXPECT_EQ(all.size(), n);
    return all;
  }

  /// The result of one trial that runs `command`.
  Trial result_of(const std::string& command, const LocalRunnerOptions& options = {}) const {
    LocalRunner local = runner(setting(command), options);
    local.start(job({7}));
    return results(local, 1).at(0);
  }

  const TemporaryFolder folder_;
};

TEST_F(LocalRunners, RunJobsInProcessesAndLeaveNothingBehind) {
  LocalRunner local = runner(setting("echo $RETIA_TRIAL; test $RETIA_TRIAL != 3"));
  EXPECT_EQ(local.concurrency(), 2);
  for (int64_t id = 0; id < 6; ++id) {
    local.start(job({id}));
  }
  const std::vector<Trial> found = results(local, 6);
  for (size_t id = 0; id < 6; ++id) {
    EXPECT_EQ(found[id].proposal,
              (Proposal{.id = static_cast<int64_t>(id), .architecture = kModel}));
    EXPECT_EQ(found[id].n_attempts, 1);
    EXPECT_EQ(found[id].log, "");
    EXPECT_GT(found[id].seconds, 0);
    EXPECT_NE(found[id].host, "");
    if (id == 3) {
      EXPECT_EQ(found[id].evaluation.status, TrialStatus::Failed);
      EXPECT_EQ(found[id].evaluation.error, "the command ended with code 1");
    } else {
      EXPECT_THAT(found[id].evaluation.objectives, ElementsAre(static_cast<double>(id)));
    }
  }
  EXPECT_THAT(local.wait(0), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "trials"));
}

TEST_F(LocalRunners, TrainAndContinueToTheNumbersOfThisProcess) {
  const ClassificationOptions options{
      .data = {.name = "synthetic", .synthetic = {.n_train = 64, .n_test = 16}},
      .epochs = 1,
      .batch_size = 8,
      .seed = 3};
  ClassificationEvaluator evaluator(options, standard_data_sets());
  TrialSetting trained = setting("");
  trained.evaluator = evaluator.to_json();
  LocalRunner local = runner(trained);

  Job first = job({0, 1}), next = job({2});
  for (Trial& trial : first.trials) {
    trial.proposal.epochs = 1 + trial.proposal.id;
  }
  next.trials[0].proposal.epochs = 3;
  next.trials[0].proposal.continues = 1;
  for (const Job& some : {first, next}) {
    Job in_process = some;
    for (Trial& trial : in_process.trials) {
      trial.weights = folder_ / "here";
    }
    const std::vector<Trial> here = run_job(evaluator, in_process);
    local.start(some);
    const std::vector<Trial> there = results(local, here.size());
    for (size_t i = 0; i < here.size(); ++i) {
      EXPECT_EQ(there[i].evaluation.status, TrialStatus::Succeeded) << there[i].evaluation.error;
      EXPECT_EQ(there[i].evaluation.objectives, here[i].evaluation.objectives);
      EXPECT_EQ(there[i].evaluation.metrics, here[i].evaluation.metrics);
      EXPECT_EQ(there[i].evaluation.intermediate, here[i].evaluation.intermediate);
    }
  }
}

TEST_F(LocalRunners, KeepWhatATrialPrints) {
  const Trial result = result_of(kTrial + "echo careful >> /proc/$trial/fd/2; echo 1");
  EXPECT_EQ(result.log, "trials/7/log.txt");
  EXPECT_EQ(read_file(folder_ / result.log), "careful\n");
}

TEST_F(LocalRunners, FailATrialWhoseProcessDiesAgainAndAgain) {
  const Trial result =
      result_of(kTrial + "echo about to crash >> /proc/$trial/fd/2; kill -SEGV $trial; sleep 1",
                {.retries = 2});
  EXPECT_EQ(result.evaluation.status, TrialStatus::Failed);
  EXPECT_EQ(result.evaluation.error,
            "its process was ended by signal 11 (Segmentation fault): about to crash");
  EXPECT_EQ(result.n_attempts, 3);
  EXPECT_EQ(read_file(folder_ / result.log), "about to crash\n");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "trials/7/result.json"));
}

TEST_F(LocalRunners, StartATrialAgainWhoseProcessHasDied) {
  const std::string marker = folder_ / "marker";
  const Trial result = result_of(kTrial + "test -e " + marker + " || { touch " + marker +
                                 "; kill -9 $trial; sleep 1; }; echo 5");
  EXPECT_THAT(result.evaluation.objectives, ElementsAre(5));
  EXPECT_EQ(result.n_attempts, 2);
}

TEST_F(LocalRunners, DoNotStartATrialAgainThatFails) {
  const Trial result = result_of("echo no >&2; exit 3", {.retries = 5});
  EXPECT_EQ(result.evaluation.error, "the command ended with code 3: no");
  EXPECT_EQ(result.n_attempts, 1);
  TrialSetting wrong = setting("");
  wrong.evaluator = {{"name", "nobody"}};
  LocalRunner local = runner(wrong);
  local.start(job({1}));
  EXPECT_THAT(results(local, 1).at(0).evaluation.error, HasSubstr("unknown evaluator 'nobody'"));
}

TEST_F(LocalRunners, KillATrialAtItsTimeLimitWithAllThatItHasStarted) {
  const std::filesystem::path file = folder_ / "pid";
  const Trial result =
      result_of("sleep 60 & echo $! > " + file.string() + "; wait", {.time_limit = 0.5});
  EXPECT_EQ(result.evaluation.status, TrialStatus::Failed);
  EXPECT_EQ(result.evaluation.error, "took longer than 0.5 s (runner.time_limit)");
  EXPECT_EQ(result.n_attempts, 1);
  EXPECT_GT(number_in(file), 0);
  EXPECT_TRUE(comes_true([&] { return parent_of(number_in(file)) == 0; }));
}

TEST_F(LocalRunners, KillATrialAtItsMemoryLimit) {
  const Trial result =
      result_of("exec python3 -c 'import time; x = bytearray(600 << 20); time.sleep(60)'",
                {.memory_limit = 500});
  EXPECT_EQ(result.evaluation.status, TrialStatus::Failed);
  EXPECT_THAT(result.evaluation.error, StartsWith("used "));
  EXPECT_THAT(result.evaluation.error,
              HasSubstr(" MB of memory, more than 500 MB (runner.memory_limit)"));
  EXPECT_GE(std::stoi(result.evaluation.error.substr(5)), 500);
}

TEST_F(LocalRunners, RunTheTrialsOfAMergedJobAloneWhereItsProcessDies) {
  LocalRunner local = runner(setting(kTrial + "test $RETIA_TRIAL != 2 || { kill -9 $trial; "
                                              "sleep 1; }; echo $RETIA_TRIAL"),
                             {.retries = 0});
  local.start(job({1, 2, 3}));
  const std::vector<Trial> found = results(local, 3);
  EXPECT_THAT(found[0].evaluation.objectives, ElementsAre(1));
  EXPECT_EQ(found[1].evaluation.error, "its process was ended by signal 9 (Killed)");
  EXPECT_THAT(found[2].evaluation.objectives, ElementsAre(3));
  EXPECT_EQ(found[0].n_attempts, 2);
}

TEST_F(LocalRunners, StopTrialsWhichAreThenToBeRunAgain) {
  LocalRunner local = runner(setting("sleep 60"), {}, 1);
  local.start(job({0}));
  local.start(job({1}));
  EXPECT_THAT(local.wait(0.5), IsEmpty());
  const double began = now();
  local.stop();
  EXPECT_LT(now() - began, 4);
  for (const Trial& result : results(local, 2)) {
    EXPECT_EQ(result.evaluation.status, TrialStatus::Stopped);
  }
}

TEST_F(LocalRunners, TakeTheResultThatAFormerManagerDidNotHear) {
  std::filesystem::create_directories(folder_ / "trials/4");
  std::filesystem::create_directories(folder_ / "trials/5");
  for (const int64_t id : {4, 5}) {
    write_results(
        folder_ / ("trials/" + std::to_string(id)) / "trial.json",
        {{.proposal = {.id = id, .architecture = kModel}, .evaluation = {.objectives = {0.5}}}});
  }
  LocalRunner local = runner(setting("echo 1"));
  for (const int64_t id : {4, 6}) {  // there is no result of 6
    Job recovered = job({id});
    recovered.recovered = true;
    local.start(recovered);
  }
  local.start(job({5}));  // of another time
  const std::vector<Trial> found = results(local, 3);
  EXPECT_THAT(found[0].evaluation.objectives, ElementsAre(0.5));
  EXPECT_THAT(found[1].evaluation.objectives, ElementsAre(1));
  EXPECT_THAT(found[2].evaluation.objectives, ElementsAre(1));
  EXPECT_THAT(local.wait(0), IsEmpty());
  EXPECT_TRUE(std::filesystem::is_empty(folder_ / "trials"));
}

TEST_F(LocalRunners, StartAnotherServerWhereItDies) {
  LocalRunner local = runner(setting("sleep 0.5; echo 1"), {.retries = 0});
  local.start(job({0}));
  local.start(job({1}));
  ASSERT_TRUE(comes_true([&] { return std::filesystem::exists(folder_ / "trials/1/log.txt"); }));
  const pid_t server = server_of(::getpid());
  ASSERT_GT(server, 0);
  const auto threads =
      std::filesystem::directory_iterator("/proc/" + std::to_string(server) + "/task");
  EXPECT_EQ(std::distance(begin(threads), end(threads)), 1);
  ::kill(server, SIGKILL);
  for (const Trial& result : results(local, 2)) {
    EXPECT_THAT(result.evaluation.objectives, ElementsAre(1)) << result.evaluation.error;
    EXPECT_EQ(result.n_attempts, 2);
  }
}

TEST_F(LocalRunners, WaitWhereNoProcessCanBeMadeAndBlameNoModel) {
  // A server that is refused three processes (EAGAIN), and then runs the trial.
  const std::filesystem::path server = folder_ / "server";
  write_plainly(server, std::string("#!/usr/bin/env python3\nPROGRAM = '") + RETIA_PROGRAM + R"('
import json, socket, subprocess
peer, n_refused = socket.socket(fileno=0), 0
def say(kind, content):
    peer.send(json.dumps({"message": kind, "content": content}).encode())
def end(id, cause, code):
    say("ended", {"id": id, "cause": cause, "code": code, "seconds": 0, "peak_memory": 0})
say("ready", None)
while text := peer.recv(1 << 20):
    message = json.loads(text)
    if message["message"] == "start" and n_refused < 3:
        n_refused += 1
        end(message["content"]["id"], "not_started", 11)
    elif message["message"] == "start":
        subprocess.run([PROGRAM, "trial", message["content"]["file"]], stdout=subprocess.DEVNULL)
        end(message["content"]["id"], "exited", 0)
)");
  std::filesystem::permissions(server, std::filesystem::perms::owner_all);
  LocalRunner local(setting("echo 5"), ir::mutables(space()), folder_.path(), 1, {.retries = 0},
                    server);
  local.start(job({7}));
  const Trial found = results(local, 1).at(0);
  EXPECT_EQ(found.evaluation.error, "");
  EXPECT_THAT(found.evaluation.objectives, ElementsAre(5));
  EXPECT_EQ(found.n_attempts, 1);
}

TEST_F(LocalRunners, SayWhereNoServerCanBeStarted) {
  LocalRunner local(setting("echo 1"), ir::mutables(space()), folder_.path(), 1, {}, "/bin/false");
  local.start(job({0}));
  EXPECT_THAT(error_of([&] { local.wait(5); }),
              HasSubstr("/bin/false trial --server, which starts trials, ended with code 1"));
}

TEST_F(LocalRunners, DieWithTheirManager) {
  const std::filesystem::path file = folder_ / "pid";
  const pid_t manager = ::fork();
  if (manager == 0) {
    // The child calls setsid and is nobody's child any more.
    LocalRunner local = runner(
        setting("(setsid sh -c 'echo $$ > " + file.string() + "; exec sleep 60' &); sleep 60"));
    local.start(job({0}));
    while (true) {
      local.wait(60);
    }
  }
  EXPECT_TRUE(comes_true([&] { return number_in(file) > 0; }));
  EXPECT_NE(parent_of(number_in(file)), 0);
  const pid_t server = server_of(manager);
  EXPECT_GT(server, 0);
  ::kill(manager, SIGKILL);
  ::waitpid(manager, nullptr, 0);
  EXPECT_TRUE(
      comes_true([&] { return parent_of(number_in(file)) == 0 && parent_of(server) == 0; }));
}

TEST_F(LocalRunners, RefuseOptionsOutOfRange) {
  EXPECT_THAT(error_of([&] { runner(setting("echo 1"), {}, 0); }),
              HasSubstr("--concurrency must be at least 1, got 0"));
  EXPECT_THAT(error_of([&] { runner(setting("echo 1"), {.retries = -1}); }),
              HasSubstr("runner.retries must be at least 0, got -1"));
}

}  // namespace
}  // namespace retia
