#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include <memory>
#include <vector>

#include "retia/engine/executor/interpreter.h"
#include "retia/engine/ir/graph.h"
#include "retia/engine/mutables/layer.h"
#include "retia/engine/mutables/mutable_module.h"

namespace retia {

class Ranks;

/// The module that runs a graph: a supernet if the graph has choices, else a plain model. Its
/// modules are named by the paths of their nodes, so the parameter names of a frozen model are a
/// subset of those of the supernet it comes from.
class NetworkImpl final : public torch::nn::Module {
 public:
  /// `seed`: seed of the initial weights; each layer's weights depend on it and on the layer's path
  /// only. Throws one line that names the node where the graph cannot run.
  NetworkImpl(const ir::Graph& graph, uint64_t seed);

  /// Returns the graph's first output. `input`: `[batch, shape...]`, for a graph of one input.
  at::Tensor forward(const at::Tensor& input);

  /// Returns all outputs for all inputs, both in the graph's order.
  std::vector<at::Tensor> run(at::TensorList inputs);

  /// Tells random layers which samples the next batches hold (see StochasticLayer::prepare).
  void prepare(const std::vector<uint64_t>& sample_keys, double progress);

  /// Sets how the graph is run; Fused by default.
  void set_executor(Executor executor);
  /// Returns the executor that was set last; set_passes does not change it.
  Executor executor() const { return executor_; }
  /// Sets the passes that rewrite the program of the graph, in order.
  void set_passes(const std::vector<executor::Pass>& passes) { interpreter_->set_passes(passes); }
  /// Returns the program that runs: the lowered graph as the passes have rewritten it.
  const executor::Program& program() const { return interpreter_->program(); }

  /// Normalises batches over the samples of all `ranks` from now on (SyncBatchNorm; see
  /// BatchNormLayer).
  void synchronise(Ranks* ranks);
  /// Returns the ranks that normalise together; null where each rank normalises by itself.
  Ranks* synchronised() const { return ranks_; }

  /// Sets the dtype in which forward passes compute: bfloat16 and float16 by autocast, with weights
  /// and outputs in float32; any other dtype: that of the weights.
  void set_precision(at::ScalarType dtype) { precision_ = dtype; }
  /// Returns the dtype that was set last.
  at::ScalarType precision() const { return precision_; }

  /// Returns the graph from which the network was made.
  const ir::Graph& graph() const { return graph_; }

 private:
  void add(const std::string& path, const std::shared_ptr<torch::nn::Module>& module,
           uint64_t seed);

  ir::Graph graph_;
  std::unique_ptr<executor::Interpreter> interpreter_;
  std::vector<std::pair<std::shared_ptr<StochasticLayer>, uint64_t>> stochastic_layers_;
  std::vector<std::vector<int64_t>> input_sizes_;
  std::shared_ptr<MutableModule> any_choice_;
  Ranks* ranks_ = nullptr;
  at::ScalarType precision_ = at::kFloat;
  Executor executor_ = Executor::Fused;
};
TORCH_MODULE(Network);

}  // namespace retia
