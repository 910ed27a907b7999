#include "retia/apps/program.h"
#include "retia/apps/wait_policy.h"

int main(int argc, char** argv) {
  retia::spin_briefly(argv);
  retia::keep_freed_memory();
  return retia::Program().run(argc, argv);
}
