#include "retia/engine/io/stop_signal.h"

#include <c10/util/Exception.h>
#include <signal.h>

#include <atomic>

namespace retia {
namespace {

// A signal handler is a plain function: what it sets and what it replaced can live nowhere else.
std::atomic<int> first_signal = 0;
std::atomic<bool> in_use = false;
struct sigaction old_interrupt = {};
struct sigaction old_terminate = {};
struct sigaction old_user = {};

static_assert(std::atomic<int>::is_always_lock_free, "set by a signal handler");

void remember(int signal) {
  int none = 0;
  first_signal.compare_exchange_strong(none, signal);
}

struct sigaction remembering(int flags) {
  struct sigaction action = {};
  action.sa_handler = remember;
  action.sa_flags = flags;
  sigemptyset(&action.sa_mask);
  return action;
}

}  // namespace

StopSignal::StopSignal() {
  TORCH_CHECK(!in_use.exchange(true), "StopSignal: expected one at a time, but another one lives");
  first_signal = 0;
  // Reset by the first: then a second Ctrl-C meets the default, which kills.
  const struct sigaction interrupt = remembering(SA_RESTART | static_cast<int>(SA_RESETHAND));
  const struct sigaction terminate = remembering(SA_RESTART);
  sigaction(SIGINT, &interrupt, &old_interrupt);
  sigaction(SIGTERM, &terminate, &old_terminate);
  sigaction(SIGUSR1, &terminate, &old_user);
  if (old_interrupt.sa_handler == SIG_IGN) {
    sigaction(SIGINT, &old_interrupt, nullptr);
  }
}

StopSignal::~StopSignal() {
  sigaction(SIGINT, &old_interrupt, nullptr);
  sigaction(SIGTERM, &old_terminate, nullptr);
  sigaction(SIGUSR1, &old_user, nullptr);
  in_use = false;
}

int StopSignal::signal() const { return first_signal; }

}  // namespace retia
