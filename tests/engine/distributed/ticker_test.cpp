#include "retia/engine/distributed/ticker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <stdexcept>

namespace retia {
namespace {

void sleep_for(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

/// Whether `n` reaches `least` within ten seconds.
bool reaches(const std::atomic<int>& n, int least) {
  for (int i = 0; i < 10000 && n < least; ++i) {
    sleep_for(0.001);
  }
  return n >= least;
}

TEST(Ticker, CallsAtOnceAndAgainUntilItIsGone) {
  std::atomic<int> n = 0;
  {
    const Ticker ticker(0.001, [&] { ++n; });
    EXPECT_TRUE(reaches(n, 5));
  }
  const int at_the_end = n;
  sleep_for(0.02);
  EXPECT_EQ(n, at_the_end);
}

TEST(Ticker, EndsWithoutWaitingForTheNextCall) {
  std::atomic<int> n = 0;
  const auto began = std::chrono::steady_clock::now();
  {
    const Ticker ticker(1000, [&] { ++n; });
    EXPECT_TRUE(reaches(n, 1));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(100));
  EXPECT_EQ(n, 1);
}

TEST(Ticker, StopsWhenTheFunctionThrows) {
  std::atomic<int> n = 0;
  const Ticker ticker(0.001, [&] {
    if (++n == 3) {
      throw std::runtime_error("enough");
    }
  });
  EXPECT_TRUE(reaches(n, 3));
  sleep_for(0.02);
  EXPECT_EQ(n, 3);
}

}  // namespace
}  // namespace retia
