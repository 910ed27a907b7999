#include "retia/engine/base/stopwatch.h"

#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "retia/engine/base/device.h"

namespace retia {
namespace {

TEST(Stopwatch, ThreeProductsTakeLongerThanOne) {
  for (const at::Device device : available_devices()) {
    Stopwatch watch(device);
    const int64_t side = device.is_cpu() ? 256 : 4096;
    const at::Tensor a = at::randn({side, side}, device);
    const auto least = [&](int n) {
      double seconds = 1e9;
      for (int trial = 0; trial < 5; ++trial) {
        seconds = std::min(seconds, watch.seconds_of([&] {
          for (int i = 0; i < n; ++i) {
            at::mm(a, a);
          }
        }));
      }
      return seconds;
    };
    least(1);
    const double one = least(1), three = least(3);
    EXPECT_GT(one, 0) << device;
    EXPECT_GT(three, 2 * one) << device;
    finish_work(device);
  }
}

TEST(Stopwatch, CountsNoSleepOfTheProcessor) {
  Stopwatch watch(at::kCPU);
  EXPECT_LT(watch.seconds_of([] { std::this_thread::sleep_for(std::chrono::milliseconds(50)); }),
            0.02);
}

}  // namespace
}  // namespace retia
