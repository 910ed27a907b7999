#include "retia/kernels/parallel.h"

#include <ATen/Parallel.h>
#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "retia/tests/kernels/on_threads.h"

namespace retia::kernels {
namespace {

using namespace std::chrono_literals;

/// Waits until `arrived` is n, for a minute at most.
void wait_for(const std::atomic<int>& arrived, int n) {
  const auto end = std::chrono::steady_clock::now() + 1min;
  while (arrived < n && std::chrono::steady_clock::now() < end) {
    std::this_thread::yield();
  }
}

/// The loop of the library that holds every parallel loop: serial, it would never have two threads
/// wait for each other.
TEST(ParallelFor, RunsOnAsManyThreadsAsAreAskedFor) {
  for (const int n : {2, 3, 5}) {
    const Threads threads(n);
    std::mutex mutex;
    std::set<std::thread::id> seen;
    std::set<int> numbers;
    std::atomic<int> arrived = 0;
    parallel_for(100, [&](Tasks& tasks) {
      {
        const std::lock_guard lock(mutex);
        seen.insert(std::this_thread::get_id());
        numbers.insert(at::get_thread_num());
      }
      ++arrived;
      wait_for(arrived, n);
      for ([[maybe_unused]] const int64_t task : tasks) {
      }
    });
    EXPECT_EQ(static_cast<int>(seen.size()), n);
    EXPECT_EQ(*numbers.rbegin(), n - 1);
  }
}

TEST(ParallelFor, RunsEachTaskOnce) {
  for (const int n_threads : {1, 2, 3, 5}) {
    const Threads threads(n_threads);
    for (const int64_t n : {0, 1, 2, 3, 7, 16, 1000}) {
      std::vector<std::atomic<int>> ran(static_cast<size_t>(n));
      parallel_for(n, [&](Tasks& tasks) {
        for (const int64_t task : tasks) {
          ++ran.at(static_cast<size_t>(task));
        }
      });
      for (const std::atomic<int>& times : ran) {
        EXPECT_EQ(times, 1) << n << " tasks on " << n_threads << " threads";
      }
    }
  }
}

TEST(ParallelFor, TakesOverTheTasksOfAThreadThatIsHeldUp) {
  const Threads threads(2);
  std::atomic<int> left = 9;
  bool waited = true;
  parallel_for(10, [&](Tasks& tasks) {
    for (const int64_t task : tasks) {
      if (task == 0) {  // ends only when all others have run, those of its own share too
        const auto end = std::chrono::steady_clock::now() + 1min;
        while (left > 0 && std::chrono::steady_clock::now() < end) {
          std::this_thread::yield();
        }
        waited = left == 0;
      } else {
        --left;
      }
    }
  });
  EXPECT_TRUE(waited);
}

TEST(ParallelFor, RunsInOrderOnOneThreadWithinAnother) {
  const Threads threads(2);
  std::mutex mutex;
  std::vector<std::vector<int64_t>> orders;
  parallel_for(2, [&](Tasks& outer) {
    for ([[maybe_unused]] const int64_t of_outer : outer) {
      std::vector<int64_t> order;
      parallel_for(4, [&](Tasks& inner) {
        for (const int64_t task : inner) {
          order.push_back(task);
        }
      });
      const std::lock_guard lock(mutex);
      orders.push_back(order);
    }
  });
  EXPECT_THAT(orders, testing::Each(testing::ElementsAre(0, 1, 2, 3)));
  EXPECT_EQ(orders.size(), 2U);
}

TEST(ParallelFor, ThrowsWhatABodyThrows) {
  const Threads threads(2);
  EXPECT_THROW(parallel_for(8,
                            [](Tasks& tasks) {
                              for (const int64_t task : tasks) {
                                if (task == 5) {
                                  throw std::runtime_error("task 5");
                                }
                              }
                            }),
               std::runtime_error);
}

/// Two OpenMP runtimes in a process keep two sets of threads, which spin against each other.
TEST(ParallelFor, SharesTheOneOpenMpRuntimeOfTheProcess) {
  std::ifstream maps("/proc/self/maps");
  std::set<std::string> runtimes;
  for (std::string line; std::getline(maps, line);) {
    const size_t path = line.find('/');
    const std::string file = path == std::string::npos ? "" : line.substr(line.rfind('/') + 1);
    for (const char* const name : {"libgomp", "libomp.", "libomp-", "libiomp5"}) {
      if (file.rfind(name, 0) == 0) {
        runtimes.insert(line.substr(path));
      }
    }
  }
  EXPECT_EQ(runtimes.size(), 1U) << testing::PrintToString(runtimes);
}

}  // namespace
}  // namespace retia::kernels
