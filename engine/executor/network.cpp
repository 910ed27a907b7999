#include "retia/engine/executor/network.h"

#include <ATen/CPUGeneratorImpl.h>

#include "retia/engine/base/precision.h"
#include "retia/engine/base/random.h"
#include "retia/engine/executor/make_program.h"
#include "retia/engine/ir/infer.h"
#include "retia/engine/ir/lower.h"
#include "retia/engine/mutables/base_mutator.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/primitive.h"

namespace retia {
namespace {

/// Tells the mutator that a forward pass begins and, however the pass ends, that it ends.
class TellMutator {
 public:
  explicit TellMutator(BaseMutator* mutator) : mutator_(mutator) {
    if (mutator_ != nullptr) {
      mutator_->begin_forward();
    }
  }
  ~TellMutator() {
    if (mutator_ != nullptr) {
      mutator_->end_forward();
    }
  }
  TellMutator(const TellMutator&) = delete;
  TellMutator& operator=(const TellMutator&) = delete;

 private:
  BaseMutator* mutator_;
};

uint64_t hash_of(const std::string& path) {
  uint64_t hash = path.size();
  for (const char c : path) {
    hash = mix({hash, static_cast<unsigned char>(c)});
  }
  return hash;
}

}  // namespace

NetworkImpl::NetworkImpl(const ir::Graph& graph, uint64_t seed) : graph_(graph) {
  TORCH_CHECK(!graph.outputs().empty(), "graph '", graph.name(), "' has no output");
  const ir::Graph lowered = ir::lower(graph);
  const std::vector<Shape> inputs = lowered.input_shapes();
  for (const Shape& shape : inputs) {
    input_sizes_.push_back(decided(shape));
  }
  interpreter_ = std::make_unique<executor::Interpreter>(executor::make_program(
      lowered, inputs, "",
      [&](const std::string& path, const std::shared_ptr<torch::nn::Module>& module) {
        add(path, module, seed);
      }));
  set_executor(Executor::Fused);
}

void NetworkImpl::add(const std::string& path, const std::shared_ptr<torch::nn::Module>& module,
                      uint64_t seed) {
  register_module(path, module);
  const uint64_t name = hash_of(path);
  if (const auto layer = std::dynamic_pointer_cast<Layer>(module)) {
    at::Generator generator = at::detail::createCPUGenerator(mix({seed, name}));
    layer->initialise(generator);
  }
  if (const auto stochastic = std::dynamic_pointer_cast<StochasticLayer>(module)) {
    stochastic_layers_.emplace_back(stochastic, name);
  }
  if (const auto choice = std::dynamic_pointer_cast<MutableModule>(module)) {
    any_choice_ = choice;
  }
}

at::Tensor NetworkImpl::forward(const at::Tensor& input) { return run(input).front(); }

std::vector<at::Tensor> NetworkImpl::run(at::TensorList inputs) {
  TORCH_CHECK(inputs.size() == input_sizes_.size(), "network '", graph_.name(), "' reads ",
              input_sizes_.size(), " inputs, got ", inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const at::IntArrayRef expected = input_sizes_[i];
    TORCH_CHECK(inputs[i].dim() > 0 && inputs[i].sizes().slice(1) == expected, "network '",
                graph_.name(), "' expected an input of ", expected, " per sample, got a batch of ",
                inputs[i].sizes());
  }
  const Autocast autocast(inputs.front().device().type(), precision_);
  const TellMutator tell(any_choice_ ? &any_choice_->mutator() : nullptr);
  std::vector<at::Tensor> outputs = interpreter_->run(inputs);
  for (at::Tensor& output : outputs) {
    output = is_lower(precision_) ? output.to(at::kFloat) : output;
  }
  return outputs;
}

void NetworkImpl::set_executor(Executor executor) {
  executor_ = executor;
  set_passes(executor::passes_of(executor));
}

void NetworkImpl::synchronise(Ranks* ranks) {
  ranks_ = ranks;
  for (const auto& module : modules(/*include_self=*/false)) {
    if (const auto norm = std::dynamic_pointer_cast<BatchNormLayer>(module)) {
      norm->synchronise(ranks);
    }
  }
}

void NetworkImpl::prepare(const std::vector<uint64_t>& sample_keys, double progress) {
  for (const auto& [layer, stream] : stochastic_layers_) {
    layer->prepare(sample_keys, progress, stream);
  }
}

}  // namespace retia
