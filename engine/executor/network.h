#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <memory>
#include <vector>

#include "engine/executor/routine.h"

namespace retia {

class Ranks;

/// The module that runs a graph: a supernet when the graph has choices, a plain model when it has
/// none. Its modules are named by the paths of their nodes, so the parameters of a frozen model are
/// named as in the supernet it comes from.
class NetworkImpl final : public torch::nn::Module {
 public:
  /// seed: of the initial weights; each layer's depend on it and on the layer's path only. Throws
  /// one line that names the node where the graph cannot run as it is.
  NetworkImpl(const ir::Graph& graph, uint64_t seed);

  /// input: `[batch, shape...]` of the graph's one input. Returns its first output.
  at::Tensor forward(const at::Tensor& input);

  /// All inputs to all outputs, in the graph's order.
  std::vector<at::Tensor> run(at::TensorList inputs);

  /// Tells layers that draw per sample which samples come next (see StochasticLayer).
  void prepare(const std::vector<uint64_t>& sample_keys, double progress);

  /// Fused from the start.
  void set_executor(Executor executor);
  Executor executor() const { return executor_; }

  /// Batch normalisations are of the samples of all ranks from now on (see BatchNormLayer).
  void synchronise(Ranks* ranks);
  /// Those ranks; null: each normalises by itself.
  Ranks* synchronised() const { return ranks_; }

  /// Passes compute in `dtype` from now on: bfloat16 and float16 by autocast, over weights and with
  /// outputs in float32; otherwise in what the weights are.
  void set_precision(at::ScalarType dtype) { precision_ = dtype; }
  at::ScalarType precision() const { return precision_; }

  /// The graph it was made from.
  const ir::Graph& graph() const { return graph_; }

 private:
  void add(const std::string& path, const std::shared_ptr<torch::nn::Module>& module,
           uint64_t seed);

  ir::Graph graph_;
  std::unique_ptr<Routine> routine_;
  std::vector<std::pair<std::shared_ptr<StochasticLayer>, uint64_t>> stochastic_layers_;
  std::vector<std::vector<int64_t>> input_sizes_;
  std::shared_ptr<MutableModule> any_choice_;
  Ranks* ranks_ = nullptr;
  at::ScalarType precision_ = at::kFloat;
  Executor executor_ = Executor::Fused;
};
TORCH_MODULE(Network);

}  // namespace retia
