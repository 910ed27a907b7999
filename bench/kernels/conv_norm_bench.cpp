#include <ATen/Parallel.h>
#include <benchmark/benchmark.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <vector>

#include "retia/bench/kernels/turns.h"
#include "retia/kernels/conv_norm/conv_norm.h"
#include "retia/kernels/conv_norm/conv_norm_cases.h"

namespace retia::kernels {
namespace {

using ConvNormFunction = at::Tensor (*)(const at::Tensor&, at::TensorList, at::TensorList,
                                        at::TensorList, const ConvNormOptions&);

/// Forward and backward, all gradients.
void run(ConvNormFunction function, const ConvNormInputs& in) {
  std::vector<at::Tensor> leaves = {in.x};
  leaves.insert(leaves.end(), in.weights.begin(), in.weights.end());
  leaves.insert(leaves.end(), in.affine.begin(), in.affine.end());
  const at::Tensor out = function(in.x, in.weights, in.affine, in.running, in.options);
  benchmark::DoNotOptimize(torch::autograd::grad({out}, leaves, {in.gradient}));
}

/// In that layout and on the device of the setting; scales and shifts are never half.
ConvNormInputs prepared(ConvNormInputs in, at::MemoryFormat layout, const BenchSetting& setting,
                        at::ScalarType of_weights) {
  const auto prepare = [&](at::Tensor& tensor, at::ScalarType dtype) {
    tensor = tensor.to(setting.device, dtype);
    tensor = tensor.dim() == 4 ? tensor.contiguous(layout) : tensor;
  };
  const at::ScalarType wide = at::promote_types(setting.dtype, at::kFloat);
  prepare(in.gradient, setting.dtype);
  prepare(in.x, setting.dtype);
  in.x.requires_grad_();
  for (at::Tensor& weight : in.weights) {
    prepare(weight, of_weights);
    weight.requires_grad_();
  }
  for (size_t i = 0; i < in.affine.size(); ++i) {
    prepare(in.affine[i], wide);
    prepare(in.running[i], wide);
    in.affine[i].requires_grad_();
  }
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

/// Bytes: at least x, what is normalised and the result are written and read, and as much twice on
/// the way back.
void bench_conv_norm(benchmark::State& state, const ConvNormCase& of, const BenchSetting& setting) {
  ConvNormInputs in = random_inputs(of, at::kFloat);
  in.options.relu_after = true;
  // Fused operations read weights of float32 where x is half, ATen's convolutions such of x's
  // dtype.
  const at::ScalarType wide = at::promote_types(setting.dtype, at::kFloat);
  const ConvNormInputs ours = prepared(in, at::MemoryFormat::ChannelsLast, setting, wide);
  const ConvNormInputs plain = prepared(in, at::MemoryFormat::Contiguous, setting, setting.dtype);
  const ConvNormInputs last = prepared(in, at::MemoryFormat::ChannelsLast, setting, setting.dtype);
  const double seconds =
      time_in_turns(state, setting.device,
                    {[&] { run(&conv_norm, ours); }, [&] { run(&reference::conv_norm, plain); },
                     [&] { run(&reference::conv_norm, last); }});
  const auto pixels = static_cast<double>(in.gradient.numel() / in.gradient.size(1));
  const auto x = static_cast<double>(last.x.nbytes()),
             y = static_cast<double>(last.gradient.nbytes());
  state.counters["GFLOP/s"] = 6e-9 * multiply_adds(of) * pixels / seconds;
  state.counters["GB/s"] = 1e-9 * (3 * x + 9 * y) / seconds;
}

}  // namespace
}  // namespace retia::kernels

int main(int argc, char** argv) {
  using namespace retia::kernels;
  return run_benchmarks(argc, argv, "conv_norm", conv_norm_cases(), &bench_conv_norm);
}
