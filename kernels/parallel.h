#pragma once

#include <c10/util/FunctionRef.h>

#include <atomic>
#include <cstdint>
#include <iterator>
#include <vector>

namespace retia::kernels {

/// The tasks that one thread of a parallel loop runs: first its own share, which is contiguous,
/// then single tasks from the ends of other threads' shares. A thread that another process holds up
/// delays the loop by one task, not by its share.
class Tasks {
 public:
  /// The tasks [first, end) left of one thread's share, both below 2^32 and in one number, so that
  /// a single atomic operation moves either bound. Alone on its cache line.
  struct alignas(64) Share {
    std::atomic<uint64_t> bounds;
  };

  /// Goes over the tasks of the thread, taking one at each step.
  class Iterator {
   public:
    explicit Iterator(Tasks& tasks) : tasks_(tasks), task_(tasks.take()) {}
    int64_t operator*() const { return task_; }
    void operator++() { task_ = tasks_.take(); }
    bool operator!=(std::default_sentinel_t) const { return task_ >= 0; }

   private:
    Tasks& tasks_;
    int64_t task_;
  };

  /// Makes the tasks of the thread whose share is shares[mine]; `shares` outlives the object.
  Tasks(std::vector<Share>& shares, size_t mine) : shares_(shares), mine_(mine) {}
  Iterator begin() { return Iterator(*this); }
  static std::default_sentinel_t end() { return {}; }

 private:
  /// Returns a task that no thread has taken, or -1.
  int64_t take();

  std::vector<Share>& shares_;
  const size_t mine_;
};

/// Runs tasks 0 to n_tasks - 1 on up to at::get_num_threads() threads. A thread calls body, which
/// iterates over the tasks that the thread is given; at::get_thread_num() is its number.
/// Which thread runs a task is left open, so no result may depend on it. Inside another parallel
/// region the calling thread runs all tasks in order. Throws the first exception of a body, after
/// all threads have ended. The only parallel loop of this project: a bare at::parallel_for is
/// serial wherever a file is compiled without OpenMP.
void parallel_for(int64_t n_tasks, c10::function_ref<void(Tasks&)> body);

/// The amount of work, in numbers that are read or written, below which starting threads costs more
/// than it saves.
constexpr int64_t kWorthThreads = 1 << 13;

/// Calls body(i) for i from 0 to n - 1, on several threads where all calls together touch at least
/// kWorthThreads numbers. n_numbers: the count of these numbers.
template <class Body>
void parallel_where_worth(int64_t n, int64_t n_numbers, const Body& body) {
  if (n_numbers < kWorthThreads) {
    for (int64_t i = 0; i < n; ++i) {
      body(i);
    }
    return;
  }
  parallel_for(n, [&](Tasks& tasks) {
    for (const int64_t i : tasks) {
      body(i);
    }
  });
}

}  // namespace retia::kernels
