#include "retia/engine/io/process_setup.h"

#include <fcntl.h>
#include <unistd.h>

namespace retia {
namespace {

/// Opens /dev/null for each of stdin, stdout and stderr that is closed.
void open_standard_streams() {
  int descriptor = -1;
  do {
    descriptor = ::open("/dev/null", O_RDWR);  // the lowest number that is free
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor >= 0) {
    ::close(descriptor);
  }
}

}  // namespace

ProcessSetup::ProcessSetup() {
  open_standard_streams();
  replace(SIGCHLD, SIG_IGN, SIG_DFL);
  replace(SIGPIPE, SIG_DFL, SIG_IGN);
  replace(SIGXFSZ, SIG_DFL, SIG_IGN);
}

ProcessSetup::~ProcessSetup() {
  for (const auto& [signal, action] : replaced_) {
    ::sigaction(signal, &action, nullptr);
  }
}

/// Gives `signal` the action `by` where it has the action `found`.
void ProcessSetup::replace(int signal, void (*found)(int), void (*by)(int)) {
  struct sigaction before = {};
  ::sigaction(signal, nullptr, &before);
  const bool leaves_no_status = signal == SIGCHLD && (before.sa_flags & SA_NOCLDWAIT) != 0;
  if (before.sa_handler == found || leaves_no_status) {
    struct sigaction action = {};
    action.sa_handler = by;
    ::sigaction(signal, &action, nullptr);
    replaced_.emplace_back(signal, before);
  }
}

}  // namespace retia
