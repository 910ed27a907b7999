#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace retia {

/// Calls a function at once and then at regular intervals, in a thread of its own, until the object
/// is destroyed. Stops when the function throws.
class Ticker {
 public:
  /// Starts the thread. `seconds`: the interval.
  Ticker(double seconds, std::function<void()> work);
  /// Stops the thread; waits only for a call that is in progress.
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  void run();

  double seconds_;
  std::function<void()> work_;
  std::mutex mutex_;
  std::condition_variable ends_;
  bool ended_ = false;
  std::thread thread_;
};

}  // namespace retia
