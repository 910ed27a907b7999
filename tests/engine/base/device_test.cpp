#include "retia/engine/base/device.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <string>

namespace retia {
namespace {

std::string refusal(std::string_view name) {
  try {
    open_device(name);
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  return "";
}

TEST(Device, OpensTheCpu) { EXPECT_EQ(open_device("cpu"), at::Device(at::kCPU)); }

TEST(Device, RefusesAnUnknownNameAndNamesBothThatExist) {
  EXPECT_EQ(refusal("gpu"), "unknown device 'gpu': use cpu or cuda");
}

TEST(Device, SaysInOneLineThatThereIsNoGpu) {
  if (available_devices().size() > 1) {
    GTEST_SKIP() << "this machine has a GPU";
  }
  EXPECT_THAT(refusal("cuda"),
              testing::MatchesRegex("no CUDA device was found \\(.+\\): use --device cpu"));
  EXPECT_THAT(refusal("cuda"), testing::Not(testing::HasSubstr("libretia_cuda.so")))
      << "the module itself must open";
}

/// What CUDA_VISIBLE_DEVICES is for rank `local_rank` where it was `visible` (null: unset).
std::string claimed(const char* visible, int64_t local_rank) {
  const char* const before = std::getenv("CUDA_VISIBLE_DEVICES");
  const std::string kept = before == nullptr ? "" : before;
  const auto set = [](const char* value) {
    return value == nullptr ? unsetenv("CUDA_VISIBLE_DEVICES")
                            : setenv("CUDA_VISIBLE_DEVICES", value, 1);
  };
  set(visible);
  std::string found;
  try {
    claim_gpu(local_rank);
    found = std::getenv("CUDA_VISIBLE_DEVICES");
  } catch (const c10::Error& error) {
    found = error.what_without_backtrace();
  }
  set(before == nullptr ? nullptr : kept.c_str());
  return found;
}

TEST(Device, GivesEachRankOfAMachineAGpuOfItsOwn) {
  EXPECT_EQ(claimed(nullptr, 2), "2");
  EXPECT_EQ(claimed("3,5", 1), "5");
  EXPECT_EQ(claimed("3", 1), "3") << "the launcher has chosen";
  EXPECT_THAT(claimed("3,5", 2), testing::HasSubstr("rank 2 of this machine has no GPU"));
}

TEST(Device, TellsThePeakMemoryOfAGpuSinceItWasAskedLast) {
  const at::Device device = available_devices().back();
  if (!device.is_cuda()) {
    GTEST_SKIP() << "no GPU";
  }
  constexpr double kMegabytes = 64;
  take_peak_memory(device);
  {
    const at::Tensor large = at::zeros({static_cast<int64_t>(kMegabytes) << 20},
                                       at::TensorOptions(device).dtype(at::kByte));
  }
  EXPECT_GE(take_peak_memory(device), kMegabytes);
  EXPECT_LT(take_peak_memory(device), kMegabytes);
}

TEST(Device, RunsATensorOnEveryAvailableDevice) {
  const auto devices = available_devices();
  EXPECT_EQ(devices.front(), at::Device(at::kCPU));
  for (const at::Device device : devices) {
    const auto sum = at::ones({3}, device).sum();
    EXPECT_EQ(sum.device(), device);
    EXPECT_EQ(sum.item<float>(), 3);
  }
}

}  // namespace
}  // namespace retia
