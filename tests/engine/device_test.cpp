#include "engine/device.h"

#include <ATen/ops/ones.h>
#include <c10/util/Exception.h>
#include <gmock/gmock.h>

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
