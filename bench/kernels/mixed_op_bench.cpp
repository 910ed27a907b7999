#include <ATen/Parallel.h>
#include <ATen/ops/randn_like.h>
#include <benchmark/benchmark.h>
#include <torch/csrc/autograd/autograd.h>

#include <vector>

#include "retia/bench/kernels/turns.h"
#include "retia/kernels/mixed_op/mixed_op.h"
#include "retia/kernels/mixed_op/mixed_op_cases.h"

namespace retia::kernels {
namespace {

/// Edges that leave x.
struct EdgeInputs {
  std::vector<at::Tensor> leaves;     ///< x, blend, weights
  std::vector<at::Tensor> gradients;  ///< an edge
  MixedOpOptions options;
};

/// of_weights: the dtype of the blend and of the weights.
EdgeInputs edge_inputs(const MixedOpCase& shape, at::MemoryFormat layout,
                       const BenchSetting& setting, at::ScalarType of_weights) {
  const std::vector<int64_t> of_edge = darts_branches(shape.stride);
  std::vector<int64_t> branches;
  for (int64_t e = 0; e < shape.n_edges; ++e) {
    branches.insert(branches.end(), of_edge.begin(), of_edge.end());
  }
  const MixedOpInputs in = random_inputs(shape, branches, at::kFloat);
  const auto placed = [&](const at::Tensor& tensor, at::ScalarType dtype) {
    const at::Tensor moved = tensor.to(setting.device, dtype);
    return moved.dim() == 4 ? moved.contiguous(layout) : moved;
  };
  EdgeInputs result{.leaves = {}, .gradients = {}, .options = in.options};
  result.leaves = {placed(in.x, setting.dtype), placed(in.blend, of_weights)};
  for (const at::Tensor& weight : in.weights) {
    result.leaves.push_back(placed(weight, of_weights));
  }
  for (at::Tensor& leaf : result.leaves) {
    leaf.requires_grad_();
  }
  for (int64_t e = 0; e < shape.n_edges; ++e) {
    result.gradients.push_back(placed(at::randn_like(in.gradient), setting.dtype));
    result.options.edges.push_back(static_cast<int64_t>(of_edge.size()));
  }
  return result;
}

/// Forward and backward, all gradients.
void run(decltype(&mixed_ops) function, const EdgeInputs& in) {
  const at::TensorList weights = at::TensorList(in.leaves).slice(2);
  const std::vector<at::Tensor> out =
      function(in.leaves[0], in.leaves[1], weights, {}, {}, in.options);
  benchmark::DoNotOptimize(torch::autograd::grad(out, in.leaves, in.gradients));
}

/// GFLOP/s counts the arithmetic that a backward pass with recomputed stencils needs.
void bench_mixed_op(benchmark::State& state, const MixedOpCase& shape,
                    const BenchSetting& setting) {
  // The fused operation reads weights of float32 where x is half, ATen's such of x's dtype.
  const at::ScalarType wide = at::promote_types(setting.dtype, at::kFloat);
  const EdgeInputs ours = edge_inputs(shape, at::MemoryFormat::ChannelsLast, setting, wide);
  const EdgeInputs plain = edge_inputs(shape, at::MemoryFormat::Contiguous, setting, setting.dtype);
  const EdgeInputs last =
      edge_inputs(shape, at::MemoryFormat::ChannelsLast, setting, setting.dtype);
  const double seconds =
      time_in_turns(state, setting.device,
                    {[&] { run(&mixed_ops, ours); }, [&] { run(&reference::mixed_ops, plain); },
                     [&] { run(&reference::mixed_ops, last); }});
  const auto n_edges = static_cast<double>(shape.n_edges);
  const auto made = static_cast<double>(plain.gradients[0].numel());
  const double multiply_adds = n_edges * made * static_cast<double>(408 + 18 * shape.channels);
  state.counters["GFLOP/s"] = 2e-9 * multiply_adds / seconds;
  // Forward the input is read twice, and two pools are written; an edge reads them, writes and
  // reads its six other normalised tensors, and writes its result. The way back moves twice as
  // much.
  const auto x = static_cast<double>(plain.leaves[0].nbytes());
  const auto y = static_cast<double>(plain.gradients[0].nbytes());
  state.counters["GB/s"] = 3e-9 * (2 * x + (15 * n_edges + 2) * y) / seconds;
}

}  // namespace
}  // namespace retia::kernels

int main(int argc, char** argv) {
  using namespace retia::kernels;
  return run_benchmarks(argc, argv, "mixed_op", mixed_op_cases(), &bench_mixed_op);
}
