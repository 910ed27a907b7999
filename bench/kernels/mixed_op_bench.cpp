#include <ATen/Parallel.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>
#include <torch/csrc/autograd/autograd.h>

#include <string>
#include <vector>

#include "bench/kernels/turns.h"
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

/// of_weights: the dtype of the blend and of the weights.
MixedOpInputs random_inputs(const MixedOpCase& shape, at::MemoryFormat layout,
                            const BenchSetting& setting, at::ScalarType of_weights) {
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
  in.gradient = at::randn({shape.n, c, (shape.height + s - 1) / s, (shape.width + s - 1) / s})
                    .to(setting.device, setting.dtype)
                    .contiguous(layout);
  for (at::Tensor& leaf : in.leaves) {
    const bool is_x = leaf.is_same(in.leaves[0]);
    leaf = leaf.to(setting.device, is_x ? setting.dtype : of_weights).requires_grad_();
  }
  return in;
}

/// Forward and backward, all gradients.
void run(MixedOpFunction function, const MixedOpInputs& in) {
  const at::Tensor out =
      function(in.leaves[0], in.leaves[1], at::TensorList(in.leaves).slice(2), {}, in.options);
  benchmark::DoNotOptimize(torch::autograd::grad({out}, in.leaves, {in.gradient}));
}

/// GFLOP/s counts the arithmetic that a backward pass with recomputed stencils needs.
void bench_mixed_op(benchmark::State& state, const MixedOpCase& shape,
                    const BenchSetting& setting) {
  at::set_num_threads(1);
  // The fused operation reads weights of float32 where x is half, ATen's such of x's dtype.
  const at::ScalarType wide = at::promote_types(setting.dtype, at::kFloat);
  const MixedOpInputs ours = random_inputs(shape, at::MemoryFormat::ChannelsLast, setting, wide);
  const MixedOpInputs plain =
      random_inputs(shape, at::MemoryFormat::Contiguous, setting, setting.dtype);
  const MixedOpInputs last =
      random_inputs(shape, at::MemoryFormat::ChannelsLast, setting, setting.dtype);
  const double seconds =
      time_in_turns(state, setting.device,
                    {[&] { run(&mixed_op, ours); }, [&] { run(&reference::mixed_op, plain); },
                     [&] { run(&reference::mixed_op, last); }});
  const auto made = static_cast<double>(plain.gradient.numel());
  const double multiply_adds = made * static_cast<double>(408 + 18 * shape.channels);
  state.counters["GFLOP/s"] = 2e-9 * multiply_adds / seconds;
  // Forward the input is read twice, each of eight normalised tensors written and read, and the
  // result written; the way back moves twice as much.
  const auto x = static_cast<double>(plain.leaves[0].nbytes());
  const auto y = static_cast<double>(plain.gradient.nbytes());
  state.counters["GB/s"] = 3e-9 * (2 * x + 17 * y) / seconds;
}

}  // namespace
}  // namespace retia::kernels

int main(int argc, char** argv) {
  using namespace retia::kernels;
  return run_benchmarks(argc, argv, "mixed_op", mixed_op_cases(), &bench_mixed_op);
}
