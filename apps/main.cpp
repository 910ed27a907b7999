#include "apps/program.h"
#include "apps/wait_policy.h"

int main(int argc, char** argv) {
  retia::spin_briefly(argv);
  return retia::Program().run(argc, argv);
}
