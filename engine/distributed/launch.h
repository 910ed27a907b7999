#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace retia {

/// The rank of this process, and the address at which all ranks meet.
struct Launch {
  int64_t rank = 0;         ///< number of this process, counted from 0
  int64_t size = 1;         ///< number of processes on all machines
  int64_t local_rank = 0;   ///< rank among the processes of this machine
  int64_t local_size = 1;   ///< processes of this machine; 1 where the launcher does not tell
  std::string master = {};  ///< host of the store at which ranks meet; empty: a single process
  int64_t port = 0;         ///< port of the store
  bool launcher_keeps_store = false;  ///< true: the launcher serves the store; false: rank 0 does
  std::string attempt = {};           ///< identifies a restart by the same launcher
};

/// Returns the value of an environment variable, or null.
using Environment = std::function<const char*(const char* name)>;

/// Reads the launch from the environment variables of torchrun (RANK, WORLD_SIZE, …), Open MPI's
/// mpirun (OMPI_COMM_WORLD_RANK, …) or, within a job step, Slurm's srun (SLURM_PROCID, …); without
/// any of these: a single process. MASTER_ADDR and MASTER_PORT set the meeting point; the default
/// is the host of rank 0, if the launcher tells it, and a port derived from the job's id. Throws
/// one line that names the variable where variables are missing or malformed.
Launch read_launch(const Environment& environment);

/// Reads the launch from the environment of this process.
Launch read_launch();

/// The logical CPUs that processes may run on.
struct Cpus {
  int64_t mine = 1;      ///< CPUs of this process, to which its launcher may have bound it
  int64_t launcher = 1;  ///< CPUs of its launcher, which all ranks of this machine share
};

/// Reads the affinities of this process and of its parent.
Cpus read_cpus();

/// Returns the number of threads, ≥ 1, of a rank where the user has set none: its share of the CPUs
/// of its launcher, which local_size ranks use. `all`: the number of threads of a process that has
/// `cpus.mine` for itself.
int64_t threads_of_a_rank(const Launch& launch, int64_t all, const Cpus& cpus);

/// Returns the first host of a Slurm node list: "a07" for "a[07-09,12],b1".
std::string first_host(const std::string& nodes);

}  // namespace retia
