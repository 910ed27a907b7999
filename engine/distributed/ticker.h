#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace retia {

/// Does something at once and then every so many seconds, in a thread of its own, until it is
/// destroyed. Ends where that throws.
class Ticker {
 public:
  Ticker(double seconds, std::function<void()> work);
  /// Waits for work that is going on, no longer.
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
