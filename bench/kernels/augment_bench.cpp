#include <benchmark/benchmark.h>
#include <torch/cuda.h>
#include <torch/types.h>

#include <chrono>
#include <string>

#include "retia/engine/base/device.h"
#include "retia/kernels/augment/augment.h"
#include "retia/kernels/augment/augment_cases.h"

namespace retia::kernels {
namespace {

using AugmentFunction = at::Tensor (*)(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                       int64_t);

struct AugmentInputs {
  at::Tensor images, draws, levels;
};

AugmentInputs random_inputs(const AugmentCase& shape, at::Device device) {
  const int64_t n = shape.n;
  const int64_t p = shape.crop_padding;
  const at::Tensor draws =
      at::stack({at::randint(-p, p + 1, {n}), at::randint(-p, p + 1, {n}), at::randint(2, {n}),
                 at::randint(shape.height, {n}), at::randint(shape.width, {n})},
                1);
  const at::Tensor images =
      at::randint(256, {n, shape.channels, shape.height, shape.width}, at::kByte);
  return {.images = images.to(device),
          .draws = draws.to(device, at::kInt),
          .levels = at::randn({shape.channels, 256}).to(device)};
}

/// Of timed calls; with manual times the wall clock runs kCalls times as long.
constexpr double kSeconds = 0.05;

void finish(at::Device device) {
  if (device.is_cuda()) {
    torch::cuda::synchronize();
  }
}

double seconds_per_call(AugmentFunction function, const AugmentInputs& in, int64_t cutout,
                        int64_t calls) {
  finish(in.images.device());
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < calls; ++i) {
    benchmark::DoNotOptimize(function(in.images, in.draws, in.levels, cutout));
  }
  finish(in.images.device());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
         static_cast<double>(calls);
}

/// Times blocks of calls. The counter `speedup` is the reference's time over ours; the reference is
/// timed before and after, since the machine's pace may drift.
void bench_augment(benchmark::State& state, const AugmentCase& shape, at::Device device) {
  const at::NoGradGuard no_grad;
  const AugmentInputs in = random_inputs(shape, device);
  if (!at::equal(augment(in.images, in.draws, in.levels, shape.cutout),
                 reference::augment(in.images, in.draws, in.levels, shape.cutout))) {
    state.SkipWithError("augment differs from the reference");
    return;
  }
  constexpr int64_t kCalls = 20;
  const double before = seconds_per_call(&reference::augment, in, shape.cutout, kCalls);
  double seconds = 0;
  for (auto _ : state) {
    const double block = seconds_per_call(&augment, in, shape.cutout, kCalls);
    state.SetIterationTime(block);
    seconds += block;
  }
  const double after = seconds_per_call(&reference::augment, in, shape.cutout, kCalls);
  const double ours = seconds / static_cast<double>(state.iterations());
  const auto values = static_cast<double>(in.images.numel());
  const double bytes = values * (sizeof(uint8_t) + sizeof(float));
  state.counters["GB/s"] = bytes / ours * 1e-9;
  state.counters["images/s"] = static_cast<double>(shape.n) / ours;
  state.counters["speedup"] = (before + after) / 2 / ours;
}

}  // namespace
}  // namespace retia::kernels

int main(int argc, char** argv) {
  for (const at::Device device : retia::available_devices()) {
    for (const auto& shape : retia::kernels::augment_cases()) {
      const std::string name = "augment/" + shape.name + "/" + device.str();
      benchmark::RegisterBenchmark(name.c_str(), retia::kernels::bench_augment, shape, device)
          ->UseManualTime()
          ->MinTime(retia::kernels::kSeconds)
          ->Unit(benchmark::kMicrosecond);
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
