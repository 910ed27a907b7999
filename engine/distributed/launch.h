#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace retia {

/// Which of how many processes this one is, and where they meet.
struct Launch {
  int64_t rank = 0, size = 1;
  int64_t local_rank = 0;             ///< among those on this machine
  std::string master = {};            ///< the host of the store where they meet; empty: alone
  int64_t port = 0;                   ///< of that store
  bool launcher_keeps_store = false;  ///< else rank 0 does
  std::string attempt = {};           ///< tells the starts of one launcher apart
};

/// The value of an environment variable, or null.
using Environment = std::function<const char*(const char* name)>;

/// What the launcher says in the environment: torchrun (RANK, WORLD_SIZE, …), Open MPI's mpirun
/// (OMPI_COMM_WORLD_RANK, …) or, within a step, Slurm's srun (SLURM_PROCID, …); nothing of these:
/// one process. MASTER_ADDR and MASTER_PORT say where to meet; by default that is rank 0's machine,
/// as far as the launcher tells, and a port that follows from its job. Throws one line, naming the
/// variable, where they are incomplete or no numbers.
Launch read_launch(const Environment& environment);

/// The same of the environment of this process.
Launch read_launch();

/// The first host of a list as Slurm writes it: "a[07-09,12],b1" gives "a07".
std::string first_host(const std::string& nodes);

}  // namespace retia
