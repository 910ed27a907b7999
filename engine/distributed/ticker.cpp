#include "retia/engine/distributed/ticker.h"

#include <chrono>
#include <exception>

namespace retia {

Ticker::Ticker(double seconds, std::function<void()> work)
    : seconds_(seconds), work_(std::move(work)), thread_([this] { run(); }) {}

Ticker::~Ticker() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    ended_ = true;
  }
  ends_.notify_all();
  thread_.join();
}

void Ticker::run() {
  bool ended = false;
  while (!ended) {
    try {
      work_();
    } catch (const std::exception&) {
      return;
    }
    std::unique_lock<std::mutex> lock(mutex_);
    ended =
        ends_.wait_for(lock, std::chrono::duration<double>(seconds_), [this] { return ended_; });
  }
}

}  // namespace retia
