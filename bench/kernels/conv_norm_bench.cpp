#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <ctime>
#include <vector>

#include "kernels/conv_norm/conv_norm.h"
#include "kernels/conv_norm/conv_norm_cases.h"

namespace retia::kernels {
namespace {

using ConvNormFunction = at::Tensor (*)(const at::Tensor&, at::TensorList, at::TensorList,
                                        at::TensorList, const ConvNormOptions&);

/// Processor time, which neighbours on the machine lengthen least; there is one thread.
double seconds_now() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

/// Forward and backward, all gradients.
double seconds_of(ConvNormFunction function, const ConvNormInputs& in) {
  std::vector<at::Tensor> leaves = {in.x};
  leaves.insert(leaves.end(), in.weights.begin(), in.weights.end());
  leaves.insert(leaves.end(), in.affine.begin(), in.affine.end());
  const double start = seconds_now();
  const at::Tensor out = function(in.x, in.weights, in.affine, in.running, in.options);
  benchmark::DoNotOptimize(torch::autograd::grad({out}, leaves, {in.gradient}));
  return seconds_now() - start;
}

ConvNormInputs in_layout(ConvNormInputs in, at::MemoryFormat layout) {
  const auto lay_out = [&](at::Tensor& tensor) {
    tensor = (tensor.dim() == 4 ? tensor.contiguous(layout) : tensor).detach().requires_grad_();
  };
  lay_out(in.x);
  std::for_each(in.weights.begin(), in.weights.end(), lay_out);
  std::for_each(in.affine.begin(), in.affine.end(), lay_out);
  in.gradient = in.gradient.contiguous(layout);
  return in;
}

/// Multiply-adds of a pixel of the result, forward; the backward pass takes twice as many.
double multiply_adds(const ConvNormCase& of) {
  const auto taps = static_cast<double>(of.kernel * of.kernel);
  const auto in = static_cast<double>(of.channels), out = static_cast<double>(of.out);
  switch (of.kind) {
    case ConvKind::Dense:
      return taps * in * out;
    case ConvKind::Separable:
      return taps * in + in * out;
    case ConvKind::Halving:
      return in * out;
    case ConvKind::None:
      return 0;
    default:
      return taps * in;
  }
}

/// Each round times the operation and the reference in both layouts, in turns. Bytes: at least x,
/// what is normalised and the result are written and read, and as much twice on the way back.
void bench_conv_norm(benchmark::State& state, const ConvNormCase& of) {
  at::set_num_threads(1);
  ConvNormInputs in = random_inputs(of, at::kFloat);
  in.options.relu_after = true;
  const ConvNormInputs plain = in_layout(in, at::MemoryFormat::Contiguous);
  const ConvNormInputs last = in_layout(in, at::MemoryFormat::ChannelsLast);
  std::vector<double> ours, contiguous, channels_last;
  seconds_of(&conv_norm, last);
  for (auto _ : state) {
    ours.push_back(seconds_of(&conv_norm, last));
    contiguous.push_back(seconds_of(&reference::conv_norm, plain));
    channels_last.push_back(seconds_of(&reference::conv_norm, last));
    state.SetIterationTime(ours.back());
  }
  const auto median = [](std::vector<double> values) {
    std::nth_element(values.begin(), values.begin() + values.size() / 2, values.end());
    return values[values.size() / 2];
  };
  const auto pixels = static_cast<double>(in.gradient.numel() / in.gradient.size(1));
  const auto x = static_cast<double>(in.x.numel()), y = static_cast<double>(in.gradient.numel());
  state.counters["GFLOP/s"] = 6e-9 * multiply_adds(of) * pixels / median(ours);
  state.counters["GB/s"] = 4e-9 * (3 * x + 9 * y) / median(ours);
  state.counters["speedup"] = median(contiguous) / median(ours);
  state.counters["speedup_to_channels_last"] = median(channels_last) / median(ours);
}

}  // namespace
}  // namespace retia::kernels

int main(int argc, char** argv) {
  for (const auto& of : retia::kernels::conv_norm_cases()) {
    benchmark::RegisterBenchmark(("conv_norm/" + of.name).c_str(), retia::kernels::bench_conv_norm,
                                 of)
        ->UseManualTime()
        ->Iterations(9)
        ->Unit(benchmark::kMillisecond);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
