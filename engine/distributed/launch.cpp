#include "retia/engine/distributed/launch.h"

#include <c10/util/Exception.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "retia/engine/base/random.h"

namespace retia {
namespace {

constexpr int64_t kDefaultPort = 29500;
constexpr uint64_t kFirstPort = 20000, kPorts = 10000;  // below those that systems hand out
constexpr const char* kLoopback = "127.0.0.1";

/// The variables in which a launcher says who is who.
struct Names {
  const char* launcher;
  const char *rank, *size, *local_rank;
};
constexpr Names kTorchrun = {"torchrun", "RANK", "WORLD_SIZE", "LOCAL_RANK"};
constexpr Names kOpenMpi = {"mpirun", "OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                            "OMPI_COMM_WORLD_LOCAL_RANK"};
constexpr Names kSlurm = {"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", "SLURM_LOCALID"};

class Reader {
 public:
  explicit Reader(const Environment& environment) : environment_(environment) {}

  std::string text(const char* name) const {
    const char* value = environment_(name);
    return value == nullptr ? "" : value;
  }
  bool has(const char* name) const { return !text(name).empty(); }

  int64_t number(const char* name, int64_t least, int64_t most) const {
    const std::string value = text(name);
    int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    TORCH_CHECK(error == std::errc() && end == value.data() + value.size() && number >= least &&
                    number <= most,
                "the environment says ", name, "='", value, "', expected a number from ", least,
                " to ", most);
    return number;
  }

  /// Reads rank and sizes from the variables in `names`; throws where only some are set.
  Launch who(const Names& names) const {
    for (const char* name : {names.rank, names.size, names.local_rank}) {
      TORCH_CHECK(has(name), "the environment has ",
                  has(names.rank)   ? names.rank
                  : has(names.size) ? names.size
                                    : names.local_rank,
                  " but not ", name, ": start by ", names.launcher, ", which sets ", names.rank,
                  ", ", names.size, " and ", names.local_rank, ", or unset them");
    }
    Launch launch;
    launch.size = number(names.size, 1, 1 << 20);
    launch.rank = number(names.rank, 0, launch.size - 1);
    launch.local_rank = number(names.local_rank, 0, launch.size - 1);
    return launch;
  }

 private:
  const Environment& environment_;
};

/// A port that all processes of a job come to, and other jobs seldom.
int64_t port_of(const std::string& job) {
  uint64_t hash = 0;
  for (const char letter : job) {
    hash = mix({hash, static_cast<uint64_t>(letter)});
  }
  return job.empty() ? kDefaultPort : static_cast<int64_t>(kFirstPort + hash % kPorts);
}

/// Sets the meeting point from MASTER_ADDR and MASTER_PORT, else `master` and a port derived from
/// `job`.
Launch meeting_at(Launch launch, const Reader& read, const std::string& master,
                  const std::string& job) {
  launch.master = read.has("MASTER_ADDR") ? read.text("MASTER_ADDR") : master;
  launch.port = read.has("MASTER_PORT") ? read.number("MASTER_PORT", 1, 65535) : port_of(job);
  return launch;
}

Launch of_torchrun(const Reader& read) {
  Launch launch = read.who(kTorchrun);
  for (const char* name : {"MASTER_ADDR", "MASTER_PORT"}) {
    TORCH_CHECK(read.has(name), "the environment has RANK but not ", name,
                ": start by torchrun, which sets it, or name rank 0's host and a free port of it");
  }
  launch = meeting_at(std::move(launch), read, "", "");
  launch.local_size =
      read.has("LOCAL_WORLD_SIZE") ? read.number("LOCAL_WORLD_SIZE", 1, launch.size) : 1;
  launch.launcher_keeps_store = read.text("TORCHELASTIC_USE_AGENT_STORE") == "True";
  launch.attempt = read.text("TORCHELASTIC_RESTART_COUNT");
  return launch;
}

Launch of_open_mpi(const Reader& read) {
  Launch launch = read.who(kOpenMpi);
  if (read.has("OMPI_COMM_WORLD_LOCAL_SIZE")) {
    launch.local_size = read.number("OMPI_COMM_WORLD_LOCAL_SIZE", 1, launch.size);
  }
  const bool one_machine =
      read.text("OMPI_COMM_WORLD_LOCAL_SIZE") == read.text("OMPI_COMM_WORLD_SIZE");
  TORCH_CHECK(one_machine || read.has("MASTER_ADDR"),
              "mpirun does not say where rank 0 runs: start by mpirun -x MASTER_ADDR=HOST, the "
              "machine of rank 0");
  return meeting_at(launch, read, kLoopback, read.text("PMIX_NAMESPACE"));
}

/// Returns the largest number in a list such as "2(x3),1", which has a number a node; 1 where there
/// is none.
int64_t most_tasks_of_a_node(const std::string& list) {
  int64_t most = 1, number = 0;
  bool within = false;  // "(x3)": so many nodes have the number before
  for (const char letter : list + ",") {
    within = letter == '(' || (within && letter != ')');
    if (!within && letter >= '0' && letter <= '9') {
      number = std::min<int64_t>(10 * number + (letter - '0'), 1 << 20);
    } else if (!within && letter == ',') {
      most = std::max(most, number);
      number = 0;
    }
  }
  return most;
}

Launch of_slurm(const Reader& read) {
  Launch launch = read.who(kSlurm);
  launch.local_size = most_tasks_of_a_node(read.text("SLURM_STEP_TASKS_PER_NODE"));
  const bool of_step = read.has("SLURM_STEP_NODELIST");
  // What Slurm calls a node need not be a name that the network knows.
  const std::string master =
      read.text("SLURM_STEP_NUM_NODES") == "1"
          ? kLoopback
          : first_host(read.text(of_step ? "SLURM_STEP_NODELIST" : "SLURM_JOB_NODELIST"));
  return meeting_at(launch, read, master,
                    read.text("SLURM_JOB_ID") + "." + read.text("SLURM_STEP_ID"));
}

}  // namespace

Cpus read_cpus() {
  const auto count = [](pid_t process) -> int64_t {
    cpu_set_t set;
    return sched_getaffinity(process, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
  };
  const int64_t mine = std::max<int64_t>(1, count(0));
  return {.mine = mine, .launcher = std::max(mine, count(getppid()))};
}

int64_t threads_of_a_rank(const Launch& launch, int64_t all, const Cpus& cpus) {
  const int64_t share = std::min(cpus.mine, cpus.launcher / launch.local_size);
  return std::max<int64_t>(1, all * share / cpus.mine);
}

std::string first_host(const std::string& nodes) {
  std::string host;
  bool within = false, skips = false;  // in brackets; past their first number
  for (const char letter : nodes) {
    if (letter == '[' || letter == ']') {
      within = letter == '[';
      skips = false;
    } else if (letter == ',' && !within) {
      break;
    } else if (within && (letter == '-' || letter == ',')) {
      skips = true;
    } else if (!skips) {
      host += letter;
    }
  }
  return host;
}

Launch read_launch(const Environment& environment) {
  const Reader read(environment);
  Launch launch;
  if (read.has("RANK") || read.has("WORLD_SIZE") || read.has("LOCAL_RANK")) {
    launch = of_torchrun(read);
  } else if (read.has("OMPI_COMM_WORLD_RANK")) {
    launch = of_open_mpi(read);
  } else if (read.has("SLURM_STEP_NUM_TASKS") && read.has("SLURM_PROCID")) {
    launch = of_slurm(read);  // a batch script outside of a step is one process
  }
  if (launch.size == 1) {
    return {};
  }
  TORCH_CHECK(!launch.master.empty(), "the environment names no host of rank 0: set MASTER_ADDR");
  return launch;
}

Launch read_launch() {
  return read_launch([](const char* name) { return std::getenv(name); });
}

}  // namespace retia
