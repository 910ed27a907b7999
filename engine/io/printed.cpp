#include "retia/engine/io/printed.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <iostream>

namespace retia {
namespace {

bool has_no_reader(int descriptor) {
  pollfd asked = {descriptor, POLLOUT, 0};
  return ::poll(&asked, 1, 0) == 1 && (asked.revents & POLLERR) != 0;
}

/// Returns 0 or the errno with which the file system refuses what it had taken (NFS, quotas), which
/// it says when a descriptor is closed.
int late_failure(int descriptor) {
  const int copy = ::dup(descriptor);
  return copy < 0 || ::close(copy) == 0 ? 0 : errno;
}

/// Returns the errno with which stdout refuses a byte; EIO where it takes one now.
int failure_now() { return ::write(STDOUT_FILENO, "\n", 1) < 0 ? errno : EIO; }

}  // namespace

PrintedEnd finish_printing() {
  std::cout.flush();
  const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout.good();
  std::cout.clear();
  std::clearerr(stdout);
  if (!failed) {
    const int failure = late_failure(STDOUT_FILENO);
    return {failure == 0 ? Printed::Written : Printed::Lost, failure};
  }
  if (has_no_reader(STDOUT_FILENO)) {
    return {Printed::ReaderGone, EPIPE};
  }
  return {Printed::Lost, failure_now()};
}

}  // namespace retia
