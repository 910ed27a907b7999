#include <ATen/Parallel.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include "kernels/mixed_op/mixed_op.h"
#include "kernels/mixed_op/mixed_op_cases.h"

namespace retia::kernels {
namespace {

using MixedOpFunction = at::Tensor (*)(const at::Tensor&, const at::Tensor&, at::TensorList,
                                       at::TensorList, const MixedOpOptions&);

struct MixedOpInputs {
  std::vector<at::Tensor> leaves;  ///< x, blend, weights
  at::Tensor gradient;
  MixedOpOptions options;
};

MixedOpInputs random_inputs(const MixedOpCase& shape, at::MemoryFormat layout) {
  const int64_t c = shape.channels;
  const int64_t s = shape.stride;
  MixedOpInputs in{.leaves = {}, .gradient = {}, .options = {darts_branches(s), s}};
  in.leaves.push_back(at::randn({shape.n, c, shape.height, shape.width}).contiguous(layout));
  in.leaves.push_back(at::rand({static_cast<int64_t>(in.options.branches.size())}));
  for (const int64_t index : in.options.branches) {
    const auto branch = static_cast<MixedBranch>(index);
    if (branch == MixedBranch::FactorizedReduce) {
      in.leaves.push_back(at::randn({c / 2, c, 1, 1}));
      in.leaves.push_back(at::randn({c - c / 2, c, 1, 1}));
      continue;
    }
    const bool small = branch == MixedBranch::SepConv3 || branch == MixedBranch::DilConv3;
    for (int64_t i = 0; i < n_weights(branch); i += 2) {
      in.leaves.push_back(at::randn({c, 1, small ? 3 : 5, small ? 3 : 5}).contiguous(layout));
      in.leaves.push_back(at::randn({c, c, 1, 1}).contiguous(layout));
    }
  }
  for (at::Tensor& leaf : in.leaves) {
    leaf.requires_grad_();
  }
  in.gradient = at::randn({shape.n, c, (shape.height + s - 1) / s, (shape.width + s - 1) / s})
                    .contiguous(layout);
  return in;
}

/// Processor time, which neighbours on the machine lengthen least; there is one thread.
double seconds_now() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Forward and backward, all gradients.
double seconds_of(MixedOpFunction function, const MixedOpInputs& in) {
  const double start = seconds_now();
  const at::Tensor out =
      function(in.leaves[0], in.leaves[1], at::TensorList(in.leaves).slice(2), {}, in.options);
  benchmark::DoNotOptimize(torch::autograd::grad({out}, in.leaves, {in.gradient}));
  return seconds_now() - start;
}

/// Each round times the operation and the reference in both layouts, in turns; the counters are
/// ratios of medians to it, and the arithmetic that a backward pass with recomputed stencils needs.
void bench_mixed_op(benchmark::State& state, const MixedOpCase& shape) {
  at::set_num_threads(1);
  const MixedOpInputs plain = random_inputs(shape, at::MemoryFormat::Contiguous);
  const MixedOpInputs last = random_inputs(shape, at::MemoryFormat::ChannelsLast);
  std::vector<double> ours, contiguous, channels_last;
  seconds_of(&mixed_op, last);
  for (auto _ : state) {
    ours.push_back(seconds_of(&mixed_op, last));
    contiguous.push_back(seconds_of(&reference::mixed_op, plain));
    channels_last.push_back(seconds_of(&reference::mixed_op, last));
    state.SetIterationTime(ours.back());
  }
  const auto median = [](std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
  };
  const auto made = static_cast<double>(plain.gradient.numel());
  const double multiply_adds = made * static_cast<double>(408 + 18 * shape.channels);
  state.counters["GFLOP/s"] = 2e-9 * multiply_adds / median(ours);
  // Forward the input is read twice, each of eight normalised tensors written and read, and the
  // result written; the way back moves twice as much.
  const auto x = static_cast<double>(plain.leaves[0].numel());
  state.counters["GB/s"] = 12e-9 * (2 * x + 17 * made) / median(ours);
  state.counters["speedup"] = median(contiguous) / median(ours);
  state.counters["speedup_to_channels_last"] = median(channels_last) / median(ours);
}

}  // namespace
}  // namespace retia::kernels

int main(int argc, char** argv) {
  for (const auto& shape : retia::kernels::mixed_op_cases()) {
    benchmark::RegisterBenchmark(("mixed_op/" + shape.name).c_str(), retia::kernels::bench_mixed_op,
                                 shape)
        ->UseManualTime()
        ->Iterations(7)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
