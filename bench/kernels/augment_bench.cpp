#include <ATen/ops/equal.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/stack.h>
#include <benchmark/benchmark.h>

#include "retia/bench/kernels/turns.h"
#include "retia/kernels/augment/augment.h"
#include "retia/kernels/augment/augment_cases.h"

namespace retia::kernels {
namespace {

struct AugmentInputs {
  at::Tensor images, draws, levels;
};

AugmentInputs random_inputs(const AugmentCase& shape, const BenchSetting& setting) {
  const int64_t n = shape.n;
  const int64_t p = shape.crop_padding;
  const at::Tensor draws =
      at::stack({at::randint(-p, p + 1, {n}), at::randint(-p, p + 1, {n}), at::randint(2, {n}),
                 at::randint(shape.height, {n}), at::randint(shape.width, {n})},
                1);
  const at::Tensor images =
      at::randint(256, {n, shape.channels, shape.height, shape.width}, at::kByte);
  // Levels are never half.
  const at::ScalarType wide = at::promote_types(setting.dtype, at::kFloat);
  return {.images = images.to(setting.device),
          .draws = draws.to(setting.device, at::kInt),
          .levels = at::randn({shape.channels, 256}).to(setting.device, wide)};
}

/// Bytes: images are read, and as many numbers written. There is no arithmetic.
void bench_augment(benchmark::State& state, const AugmentCase& shape, const BenchSetting& setting) {
  const at::NoGradGuard no_grad;
  const AugmentInputs in = random_inputs(shape, setting);
  const at::Tensor last = in.images.contiguous(at::MemoryFormat::ChannelsLast);
  const auto run = [&](decltype(&augment) function, const at::Tensor& images) {
    return function(images, in.draws, in.levels, shape.cutout);
  };
  if (!at::equal(run(&augment, in.images), run(&reference::augment, in.images))) {
    state.SkipWithError("augment differs from the reference");
    return;
  }
  const double seconds =
      time_in_turns(state, setting.device,
                    {[&] { benchmark::DoNotOptimize(run(&augment, in.images)); },
                     [&] { benchmark::DoNotOptimize(run(&reference::augment, in.images)); },
                     [&] { benchmark::DoNotOptimize(run(&reference::augment, last)); }});
  const auto values = static_cast<double>(in.images.numel());
  const auto bytes = static_cast<double>(sizeof(uint8_t) + in.levels.element_size());
  state.counters["GFLOP/s"] = 0;
  state.counters["GB/s"] = 1e-9 * values * bytes / seconds;
}

}  // namespace
}  // namespace retia::kernels

int main(int argc, char** argv) {
  using namespace retia::kernels;
  return run_benchmarks(argc, argv, "augment", augment_cases(), &bench_augment);
}
