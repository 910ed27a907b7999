// What runs in threads or is used from several, in a program of its own that ThreadSanitizer
// watches: LibTorch, which it cannot see into, is not in it.
#include <gmock/gmock.h>
#include <signal.h>

#include <atomic>
#include <functional>
#include <sstream>
#include <thread>

#include "retia/engine/distributed/ticker.h"
#include "retia/engine/io/event_file.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/lock_file.h"
#include "retia/engine/io/metrics.h"
#include "retia/engine/io/process.h"
#include "retia/engine/io/progress.h"
#include "retia/engine/io/sqlite.h"
#include "retia/engine/io/stop_signal.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

constexpr int kThreads = 4, kTimes = 100;

/// Runs `work(i)` in a thread for each i, all at once.
void in_threads(int n, const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < n; ++i) {
    threads.emplace_back(work, i);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

TEST(Ticker, LeavesWhatItsWorkDidToWhoeverEndsIt) {
  in_threads(kThreads, [](int) {
    for (int i = 0; i < kTimes; ++i) {
      int64_t n = 0;  // no atomic: the end of the ticker is what orders
      std::atomic<bool> began = false;
      {
        const Ticker ticker(1e-4, [&] {
          ++n;
          began = true;
        });
        while (i % 2 == 0 && !began) {
          std::this_thread::yield();
        }
      }
      EXPECT_GE(n, i % 2 == 0 ? 1 : 0);
    }
  });
}

TEST(Ticker, EndsAtOnceHoweverLongItsPause) {
  for (int i = 0; i < kTimes; ++i) {
    const Ticker ticker(3600, [] {});
  }
}

TEST(Ticker, EndsWhereItsWorkThrows) {
  std::atomic<int64_t> n = 0;
  {
    const Ticker ticker(1e-4, [&] {
      if (++n == 3) {
        throw std::runtime_error("the store is gone");
      }
    });
    while (n < 3) {
      std::this_thread::yield();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(n, 3);
}

TEST(Writers, WriteEachItsRunWhileOthersReadIt) {
  const TemporaryFolder folder;
  std::atomic<int> n_writing = kThreads;
  const auto file = [&](int i, const char* name) { return folder / (std::to_string(i) + name); };
  in_threads(2 * kThreads, [&](int i) {
    if (i < kThreads) {
      MetricsWriter metrics(file(i, ".jsonl"));
      EventFile events(file(i, ".events"));
      std::ostringstream out;
      Progress progress(out, {});
      progress.log_to(file(i, ".log"));
      for (int step = 0; step < kTimes; ++step) {
        progress.begin({.title = "epoch", .n_steps = 1});
        progress.step(1, {{"loss", step}});
        progress.end({});
        metrics.write({{"step", step}});
        events.write({.step = step,
                      .scalars = {{"loss", step}},
                      .histograms = {{"p", {0.25, 0.75}}},
                      .heat_maps = {{"p", HeatMap{{{0.25, 0.75}}}}}});
        write_json(file(i, ".json"), {{"step", step}});
      }
      --n_writing;
      return;
    }
    const int of = i - kThreads;
    while (n_writing > 0) {
      if (!std::filesystem::exists(file(of, ".json"))) {
        continue;
      }
      EXPECT_TRUE(read_json(file(of, ".json")).contains("step"));
      std::istringstream lines(read_file(file(of, ".jsonl")));
      for (std::string line; std::getline(lines, line);) {
        EXPECT_TRUE(nlohmann::json::accept(line)) << line;
      }
    }
  });
  for (int i = 0; i < kThreads; ++i) {
    EXPECT_EQ(read_json(file(i, ".json")).at("step"), kTimes - 1);
  }
}

TEST(StopSignal, IsSeenByAllThreads) {
  for (const int signal : {SIGTERM, SIGUSR1}) {
    const StopSignal stop;
    std::atomic<int> n_waiting = 0;
    in_threads(kThreads, [&](int i) {
      ++n_waiting;
      while (n_waiting < kThreads) {
        std::this_thread::yield();
      }
      if (i == 0) {
        ::raise(signal);  // ThreadSanitizer at times loses one that is for any thread
      }
      while (!stop.requested()) {
        std::this_thread::yield();
      }
      EXPECT_EQ(stop.signal(), signal);
    });
  }
}

TEST(Process, RunsInSeveralThreadsAtOnce) {
  in_threads(kThreads, [](int i) {
    for (int n = 0; n < 10; ++n) {
      const std::string text = std::to_string(i) + "\n";
      EXPECT_EQ(run_process("cat", {.input = text}).out, text);
      EXPECT_EQ(run_process("exit 3", {.input = std::string(200'000, 'x')}).code, 3);
    }
  });
}

TEST(LockFile, IsHeldByOneAtATime) {
  const TemporaryFolder folder;
  std::atomic<int> n_holders = 0, n_held = 0;
  in_threads(kThreads, [&](int) {
    for (int n = 0; n < kTimes; ++n) {
      try {
        const LockFile lock(folder / "lock");
        EXPECT_EQ(++n_holders, 1);
        ++n_held;
        --n_holders;
      } catch (const c10::Error&) {
        std::this_thread::yield();
      }
    }
  });
  EXPECT_GT(n_held, 0);
}

TEST(Database, TakesRowsOfSeveralConnections) {
  const TemporaryFolder folder;
  const auto path = folder / "a.sqlite";
  Database(path, DatabaseAccess::Write).execute("CREATE TABLE t (x INTEGER)");
  in_threads(kThreads, [&](int i) {
    Database database(path, DatabaseAccess::Write);
    for (int n = 0; n < 20; ++n) {
      Transaction transaction(database);
      Statement(database, "INSERT INTO t VALUES (?)").with(int64_t{i}).run();
      transaction.commit();
    }
  });
  Database database(path, DatabaseAccess::Read);
  Statement count(database, "SELECT COUNT(*) FROM t");
  ASSERT_TRUE(count.next());
  EXPECT_EQ(count.integer(0), 20 * kThreads);
}

}  // namespace
}  // namespace retia
