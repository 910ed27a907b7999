#include "retia/engine/io/stop_signal.h"

#include <c10/util/Exception.h>
#include <signal.h>

#include <array>
#include <atomic>

namespace retia {
namespace {

// A signal handler is a plain function: what it sets and what it replaced can live nowhere else.
std::atomic<int> first_signal = 0;
std::atomic<bool> in_use = false;
constexpr std::array kCaught = {SIGINT, SIGHUP, SIGTERM, SIGUSR1};
std::array<struct sigaction, kCaught.size()> replaced = {};

static_assert(std::atomic<int>::is_always_lock_free, "set by a signal handler");

void remember(int signal) {
  int none = 0;
  first_signal.compare_exchange_strong(none, signal);
}

struct sigaction remembering(int signal) {
  struct sigaction action = {};
  action.sa_handler = remember;
  // Reset by the first: then a second Ctrl-C meets the default, which kills.
  action.sa_flags = SA_RESTART | (signal == SIGINT ? static_cast<int>(SA_RESETHAND) : 0);
  sigemptyset(&action.sa_mask);
  return action;
}

/// Returns whether a process that was started to ignore `signal` goes on ignoring it.
bool stays_ignored(int signal) { return signal == SIGINT || signal == SIGHUP; }

}  // namespace

StopSignal::StopSignal() {
  TORCH_CHECK(!in_use.exchange(true), "StopSignal: expected one at a time, but another one lives");
  first_signal = 0;
  for (size_t i = 0; i < kCaught.size(); ++i) {
    const struct sigaction action = remembering(kCaught[i]);
    sigaction(kCaught[i], nullptr, &replaced[i]);
    if (replaced[i].sa_handler != SIG_IGN || !stays_ignored(kCaught[i])) {
      sigaction(kCaught[i], &action, nullptr);
    }
  }
}

StopSignal::~StopSignal() {
  for (size_t i = 0; i < kCaught.size(); ++i) {
    sigaction(kCaught[i], &replaced[i], nullptr);
  }
  in_use = false;
}

int StopSignal::signal() const { return first_signal; }

}  // namespace retia
