#include "retia/engine/distributed/launch.h"

#include <gmock/gmock.h>

#include <map>

#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Variables = std::map<std::string, std::string>;

Launch launch_of(const Variables& variables) {
  return read_launch([&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

Variables with(Variables variables, const Variables& more) {
  for (const auto& [name, value] : more) {
    variables[name] = value;
  }
  return variables;
}

const Variables kTorchrun = {{"RANK", "3"},
                             {"WORLD_SIZE", "4"},
                             {"LOCAL_RANK", "1"},
                             {"LOCAL_WORLD_SIZE", "2"},
                             {"MASTER_ADDR", "node7"},
                             {"MASTER_PORT", "1234"},
                             {"TORCHELASTIC_USE_AGENT_STORE", "True"},
                             {"TORCHELASTIC_RESTART_COUNT", "2"}};
const Variables kSlurm = {
    {"SLURM_PROCID", "5"},  {"SLURM_STEP_NUM_TASKS", "8"},         {"SLURM_LOCALID", "1"},
    {"SLURM_JOB_ID", "77"}, {"SLURM_STEP_NODELIST", "gpu[03-06]"}, {"SLURM_STEP_ID", "0"},
    {"SLURM_NTASKS", "8"}};
const Variables kOpenMpi = {{"OMPI_COMM_WORLD_RANK", "1"},
                            {"OMPI_COMM_WORLD_SIZE", "2"},
                            {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                            {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}};

TEST(Launch, IsOneProcessWhereNobodySaysOtherwise) {
  EXPECT_EQ(launch_of({}).size, 1);
  EXPECT_EQ(launch_of({{"SLURM_JOB_ID", "7"}, {"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "4"}}).size,
            1)
      << "a batch script is no step";
  const Launch alone = launch_of(
      with(kTorchrun,
           {{"RANK", "0"}, {"WORLD_SIZE", "1"}, {"LOCAL_RANK", "0"}, {"LOCAL_WORLD_SIZE", "1"}}));
  EXPECT_EQ(alone.size, 1);
  EXPECT_EQ(alone.master, "");
}

TEST(Launch, ReadsWhatTorchrunSays) {
  const Launch launch = launch_of(kTorchrun);
  EXPECT_EQ(launch.rank, 3);
  EXPECT_EQ(launch.size, 4);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.local_size, 2);
  EXPECT_EQ(launch.master, "node7");
  EXPECT_EQ(launch.port, 1234);
  EXPECT_TRUE(launch.launcher_keeps_store);
  EXPECT_EQ(launch.attempt, "2");
}

TEST(Launch, ReadsWhatSrunSaysAndMeetsOnTheFirstNodeAtAPortOfTheStep) {
  const Launch launch = launch_of(kSlurm);
  EXPECT_EQ(launch.rank, 5);
  EXPECT_EQ(launch.size, 8);
  EXPECT_EQ(launch.local_rank, 1);
  EXPECT_EQ(launch.local_size, 1) << "srun did not tell";
  EXPECT_EQ(launch_of(with(kSlurm, {{"SLURM_STEP_TASKS_PER_NODE", "2(x3),12,1"}})).local_size, 12);
  EXPECT_EQ(launch.master, "gpu03");
  EXPECT_FALSE(launch.launcher_keeps_store);
  EXPECT_GE(launch.port, 1024);
  EXPECT_LT(launch.port, 32768);
  EXPECT_EQ(launch_of(with(kSlurm, {{"SLURM_PROCID", "0"}})).port, launch.port);
  EXPECT_NE(launch_of(with(kSlurm, {{"SLURM_STEP_ID", "1"}})).port, launch.port);
  EXPECT_EQ(launch_of(with(kSlurm, {{"MASTER_ADDR", "a"}, {"MASTER_PORT", "99"}})).port, 99);
  EXPECT_EQ(launch_of(with(kSlurm, {{"SLURM_STEP_NUM_NODES", "2"}})).master, "gpu03");
  EXPECT_EQ(launch_of(with(kSlurm, {{"SLURM_STEP_NUM_NODES", "1"}})).master, "127.0.0.1");
}

TEST(Launch, ReadsWhatMpirunSays) {
  const Launch launch = launch_of(kOpenMpi);
  EXPECT_EQ(launch.rank, 1);
  EXPECT_EQ(launch.size, 2);
  EXPECT_EQ(launch.local_size, 2);
  EXPECT_EQ(launch.master, "127.0.0.1");
  EXPECT_EQ(launch_of(with(kOpenMpi, kSlurm)).size, 2) << "mpirun within a job of Slurm";
  const Variables spread = with(kOpenMpi, {{"OMPI_COMM_WORLD_SIZE", "4"}});
  EXPECT_THAT(error_of([&] { launch_of(spread); }), HasSubstr("-x MASTER_ADDR=HOST"));
  EXPECT_EQ(launch_of(with(spread, {{"MASTER_ADDR", "node1"}})).master, "node1");
}

TEST(Launch, SharesTheCoresOfAMachineAmongItsRanks) {
  const auto threads = [](int64_t ranks, int64_t all, const Cpus& cpus) {
    return threads_of_a_rank({.size = 64, .local_size = ranks}, all, cpus);
  };
  EXPECT_EQ(threads(2, 16, {16, 16}), 8) << "not bound";
  EXPECT_EQ(threads(2, 16, {32, 32}), 8) << "two CPUs a core";
  EXPECT_EQ(threads(4, 8, {8, 8}), 2) << "a part of the machine";
  EXPECT_EQ(threads(4, 8, {8, 16}), 4) << "two bound to each socket of 8";
  EXPECT_EQ(threads(2, 1, {1, 16}), 1) << "each bound to a core";
  EXPECT_EQ(threads(5, 2, {2, 2}), 1) << "more ranks than cores";
  EXPECT_EQ(threads(1, 16, {16, 16}), 16);
  EXPECT_GE(read_cpus().mine, 1);
  EXPECT_GE(read_cpus().launcher, read_cpus().mine);
}

TEST(Launch, NamesWhatIsMissingOrNoNumber) {
  for (const std::string name :
       {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"}) {
    Variables half = kTorchrun;
    half.erase(name);
    EXPECT_THAT(error_of([&] { launch_of(half); }),
                AllOf(HasSubstr("but not " + name), HasSubstr("start by torchrun")));
  }
  EXPECT_THAT(error_of([&] {
                launch_of(with(kTorchrun, {{"RANK", "4"}}));
              }),
              HasSubstr("RANK='4', expected a number from 0 to 3"));
  EXPECT_THAT(error_of([&] {
                launch_of(with(kTorchrun, {{"MASTER_PORT", "http"}}));
              }),
              HasSubstr("MASTER_PORT='http', expected a number from 1 to 65535"));
  Variables unnamed = kSlurm;
  unnamed.erase("SLURM_STEP_NODELIST");
  EXPECT_THAT(error_of([&] { launch_of(unnamed); }), HasSubstr("set MASTER_ADDR"));
}

TEST(FirstHost, IsTheFirstOfSlurmsList) {
  EXPECT_EQ(first_host("a"), "a");
  EXPECT_EQ(first_host("a,b"), "a");
  EXPECT_EQ(first_host("a[07-09,12],b1"), "a07");
  EXPECT_EQ(first_host("rack[2,4]-node[11-12]"), "rack2-node11");
  EXPECT_EQ(first_host(""), "");
}

}  // namespace
}  // namespace retia
