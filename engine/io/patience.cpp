#include "retia/engine/io/patience.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "retia/engine/base/clock.h"

namespace retia {
namespace {

constexpr double kFirstPause = 0.02, kLongestPause = 2;  // seconds

}  // namespace

bool is_passing(int failure) {
  return failure == EAGAIN || failure == ENOMEM || failure == EMFILE || failure == ENFILE;
}

int patiently(const std::function<int()>& attempt, double seconds,
              const std::function<bool()>& gives_up) {
  const double end = now() + seconds;
  for (double pause = kFirstPause;; pause = std::min(2 * pause, kLongestPause)) {
    const int failure = attempt();
    if (!is_passing(failure) || now() + pause > end || (gives_up && gives_up())) {
      return failure;
    }
    std::this_thread::sleep_for(std::chrono::duration<double>(pause));
  }
}

std::string no_process(int failure) {
  std::string text = std::string("no process can be made: ") + std::strerror(failure);
  if (is_passing(failure)) {
    text +=
        ": raise the limits on processes and open files (ulimit -u, ulimit -n, the job's "
        "memory), or ask for less --concurrency";
  }
  return text;
}

}  // namespace retia
