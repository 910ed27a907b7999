#include <csignal>

#include "retia/apps/program.h"
#include "retia/apps/wait_policy.h"

int main(int argc, char** argv) {
  retia::spin_briefly(argv);
  std::signal(SIGXFSZ, SIG_IGN);  // so that a write beyond a limit fails and is told
  retia::keep_freed_memory();
  return retia::Program().run(argc, argv);
}
