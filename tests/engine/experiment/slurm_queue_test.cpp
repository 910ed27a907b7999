#include "retia/engine/experiment/slurm_queue.h"

#include <gmock/gmock.h>
#include <stdlib.h>

#include "retia/engine/io/files.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

TEST(SlurmState, IsReadFromLinesOfTheQueue) {
  const auto states = parse_states("7|RUNNING|None\n8_12|PENDING|Resources\nnot a job\n");
  ASSERT_EQ(states.size(), 2);
  EXPECT_EQ(states.at("7").name, "RUNNING");
  EXPECT_EQ(states.at("8_12").name, "PENDING");
  EXPECT_EQ(states.at("8_12").reason, "Resources");
  EXPECT_THAT(parse_states(""), IsEmpty());
}

TEST(SlurmState, IsAliveUntilItHasEndedOrIsHeldForGood) {
  for (const char* name : {"PENDING", "RUNNING", "COMPLETING", "SUSPENDED", "CONFIGURING"}) {
    EXPECT_TRUE(is_alive({name, "Priority"})) << name;
  }
  for (const char* name : {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED",
                           "OUT_OF_MEMORY", "REQUEUE_HOLD"}) {
    EXPECT_FALSE(is_alive({name, "None"})) << name;
  }
  EXPECT_FALSE(is_alive({"PENDING", "launch_failed_requeued_held"}));
  EXPECT_TRUE(is_alive({"PENDING", "JobHeldUser"})) << "who holds it may let it go";
}

/// Programs of Slurm's by shell scripts, which note their arguments in calls.txt.
class SlurmPrograms : public testing::Test {
 protected:
  SlurmPrograms() : path_(getenv("PATH")) {
    setenv("PATH", (folder_.path().string() + ":" + path_).c_str(), 1);
    unsetenv("SLURM_JOB_ID");
    for (const char* name : {"sbatch", "squeue", "scancel"}) {
      say(name, "");
    }
    std::filesystem::create_directories(trials());
  }
  ~SlurmPrograms() override { setenv("PATH", path_.c_str(), 1); }

  /// What `program` does from now on.
  void say(const std::string& program, const std::string& script) const {
    write_plainly(folder_ / program, "#!/bin/sh\necho \"" + program + " $*\" >>'" +
                                         (folder_ / "calls.txt").string() + "'\n" + script + "\n");
    std::filesystem::permissions(folder_ / program, std::filesystem::perms::owner_all);
  }
  std::string calls() const { return read_file(folder_ / "calls.txt"); }
  std::filesystem::path trials() const { return folder_ / "an experiment's/trials"; }
  std::filesystem::path file(int64_t trial) const {
    const std::filesystem::path folder = trials() / std::to_string(trial);
    std::filesystem::create_directories(folder);
    return folder / "trial.json";
  }
  std::unique_ptr<SlurmQueue> open(const SlurmOptions& options = {}, int64_t threads = 0) const {
    return open_slurm(options, threads, trials(), folder_ / "program");
  }

  const TemporaryFolder folder_;

 private:
  std::string path_;
};

TEST_F(SlurmPrograms, TakeUpOneJobAndItsOptions) {
  say("sbatch", "cat >/dev/null; echo '17;cluster'");
  const auto queue = open({.partition = "gpu", .time = "1:00:00", .arguments = "--gres=gpu:1"}, 4);
  EXPECT_THAT(*queue->submit({file(3)}), ElementsAre("17"));
  EXPECT_THAT(calls(), HasSubstr("--parsable --ntasks=1 --job-name=retia-an experiment's "));
  EXPECT_THAT(calls(), HasSubstr("--partition=gpu --cpus-per-task=4 --time=1:00:00 --gres=gpu:1"));
  EXPECT_THAT(calls(), testing::Not(HasSubstr("--array")));
}

TEST_F(SlurmPrograms, RunsEachOfSeveralAsATaskOfOneArray) {
  say("program", "echo \"$OMP_NUM_THREADS threads: $1 $(basename \"$(dirname \"$2\")\")\"");
  say("sbatch",
      "cat >script; unset OMP_NUM_THREADS\n"
      "for i in 0 1; do SLURM_ARRAY_TASK_ID=$i SLURM_CPUS_ON_NODE=2 sh script; done; echo 9");
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  EXPECT_THAT(*open()->submit({file(12), file(14)}), ElementsAre("9_0", "9_1"));
  std::filesystem::current_path(here);
  EXPECT_THAT(calls(), HasSubstr("--array=0-1"));
  EXPECT_EQ(read_file(trials() / "12/log.txt"), "2 threads: trial 12\n");
  EXPECT_EQ(read_file(trials() / "14/log.txt"), "2 threads: trial 14\n");
}

TEST_F(SlurmPrograms, RefuseAJobOrDoNotAnswer) {
  say("sbatch", "echo 'sbatch: error: invalid partition specified: x' >&2; exit 1");
  EXPECT_EQ(error_of([&] { open()->submit({file(3)}); }),
            "sbatch takes no job: sbatch: error: invalid partition specified: x");
  for (const char* words :
       {"Unable to contact slurm controller (connect failure)",
        "Batch job submission failed: Socket timed out on send/recv operation"}) {
    say("sbatch", c10::str("echo 'sbatch: error: ", words, "' >&2; exit 1"));
    EXPECT_EQ(open()->submit({file(3)}), std::nullopt) << words;
  }
}

TEST_F(SlurmPrograms, TellStatesWhichMayBeForgotten) {
  say("squeue", "echo '4|RUNNING|None'; echo '5_1|FAILED|NonZeroExitCode'");
  const auto states = open()->states({"4", "5_1", "6"});
  ASSERT_EQ(states->size(), 2);
  EXPECT_EQ(states->at("5_1").reason, "NonZeroExitCode");
  EXPECT_THAT(calls(), HasSubstr("--jobs=4,5_1,6"));

  say("squeue", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1");
  EXPECT_TRUE(open()->states({"4"})->empty());
  say("squeue", "echo 'slurm_load_jobs error: Unable to contact slurm controller' >&2; exit 1");
  EXPECT_FALSE(open()->states({"4"}).has_value());
}

TEST_F(SlurmPrograms, TellWhatWasSubmittedForTheseTrials) {
  const std::string ours = trials().string();
  write_plainly(folder_ / "queue.txt",
                "7|RUNNING|None|" + ours + ": 3\n8_1|PENDING|Priority|" + ours +
                    ": 4 5 6\n8_9|RUNNING|None|" + ours + ": 4 5\n9|CANCELLED|None|" + ours +
                    ": 8\n10|RUNNING|None|" + ours + "-others: 9\n11|RUNNING|None|(null)\n");
  say("squeue", "cat '" + (folder_ / "queue.txt").string() + "'");
  EXPECT_THAT(*open()->submitted(), UnorderedElementsAre(Pair(trials() / "3/trial.json", "7"),
                                                         Pair(trials() / "5/trial.json", "8_1")));
}

TEST_F(SlurmPrograms, TakeCancellations) {
  EXPECT_TRUE(open()->cancel({"4", "5_1"}));
  EXPECT_THAT(calls(), HasSubstr("scancel --quiet 4 5_1\n"));
  say("scancel", "exit 1");
  EXPECT_FALSE(open()->cancel({"4"}));
}

TEST_F(SlurmPrograms, AreMissedWhereThereIsNoSlurm) {
  std::filesystem::remove(folder_ / "squeue");
  const std::string path = getenv("PATH");
  setenv("PATH", folder_.path().c_str(), 1);
  const std::string error = error_of([&] { open(); });
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(error,
            "--runner slurm needs sbatch squeue scancel in PATH: give the command on a machine of "
            "the cluster, or --runner local");
}

}  // namespace
}  // namespace retia
