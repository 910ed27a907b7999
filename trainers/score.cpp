#include "retia/trainers/score.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/minimum.h>

#include "retia/engine/operations/elastic_layer.h"
#include "retia/engine/space/freeze.h"

namespace retia {
namespace {

/// Puts a module into a mode and back at the end.
class Mode {
 public:
  Mode(torch::nn::Module& module, bool training) : module_(module), was_(module.is_training()) {
    module_.train(training);
  }
  ~Mode() { module_.train(was_); }
  Mode(const Mode&) = delete;
  Mode& operator=(const Mode&) = delete;

 private:
  torch::nn::Module& module_;
  bool was_;
};

}  // namespace

void accumulate(at::Tensor& sum, const at::Tensor& more) {
  sum = sum.defined() ? sum + more : more;
}

void OutputRange::add(const at::Tensor& outputs) {
  const at::Tensor low = outputs.amin(0), high = outputs.amax(0);
  low_ = low_.defined() ? at::minimum(low_, low) : low;
  high_ = high_.defined() ? at::maximum(high_, high) : high;
}

at::Tensor OutputRange::varies() const {
  constexpr double kRounding = 1e-6;  // relative; batches of other sizes are added up otherwise
  const at::Tensor largest = at::maximum(low_.abs(), high_.abs());
  return (high_ - low_).gt(largest * kRounding).any(-1);
}

Score score_of(Network& network, const Batches& batches, Ranks* ranks) {
  const at::NoGradGuard no_grad;
  const Mode evaluation(*network, false);
  at::Tensor loss, correct;
  OutputRange range;
  const int64_t first = ranks == nullptr ? 0 : ranks->rank();
  const int64_t stride = ranks == nullptr ? 1 : ranks->size();
  for (int64_t i = first; i < batches.n_batches(); i += stride) {
    const Batch batch = batches.batch(0, i);
    const at::Tensor logits = network->forward(batch.inputs);
    const at::Tensor batch_loss =
        at::cross_entropy_loss(logits, batch.targets, {}, at::Reduction::Sum).to(at::kDouble);
    const at::Tensor batch_correct = logits.argmax(1).eq(batch.targets).sum();
    range.add(logits);
    loss = loss.defined() ? loss + batch_loss : batch_loss;
    correct = correct.defined() ? correct + batch_correct : batch_correct;
  }
  double sums[] = {loss.defined() ? loss.item<double>() : 0,
                   correct.defined() ? static_cast<double>(correct.item<int64_t>()) : 0,
                   loss.defined() && range.varies().item<bool>() ? 1.0 : 0.0};
  if (ranks != nullptr) {
    ranks->sum(at::from_blob(sums, {3}, at::kDouble));
  }
  const auto n = static_cast<double>(batches.n_samples());
  return {sums[0] / n, sums[1] / n, batches.n_samples(), sums[2] > 0};
}

std::vector<std::shared_ptr<BatchNormLayer>> norms_of(const torch::nn::Module& model) {
  std::vector<std::shared_ptr<BatchNormLayer>> norms;
  for (const auto& item : model.named_modules("", /*include_self=*/false)) {
    if (auto norm = std::dynamic_pointer_cast<BatchNormLayer>(item.value())) {
      norms.push_back(std::move(norm));
    }
  }
  return norms;
}

void average_statistics(const std::vector<std::shared_ptr<BatchNormLayer>>& norms, Ranks& ranks) {
  std::vector<at::Tensor> moved, parts;
  for (const auto& norm : norms) {
    if (norm->take_moved()) {
      for (const at::Tensor& statistic : norm->running_statistics()) {
        moved.push_back(statistic);
        parts.push_back(statistic.to(at::kDouble));
      }
    }
  }
  if (moved.empty()) {
    return;
  }
  const at::Tensor sum = at::cat(parts);
  ranks.sum_statistics(sum);
  int64_t next = 0;
  for (const at::Tensor& statistic : moved) {
    statistic.copy_(sum.slice(0, next, next + statistic.numel()).div(ranks.size()));
    next += statistic.numel();
  }
}

void recalibrate(Network& network, const Batches& batches, int64_t n_batches, Ranks* ranks) {
  const at::NoGradGuard no_grad;
  const Mode training(*network, true);
  std::vector<std::pair<std::shared_ptr<BatchNormLayer>, double>> norms;
  for (const auto& norm : norms_of(*network)) {
    norms.emplace_back(norm, norm->momentum());
  }
  for (int64_t i = 0; i < std::min(n_batches, batches.n_batches()); ++i) {
    for (const auto& [norm, momentum] : norms) {
      norm->set_momentum(1.0 / static_cast<double>(i + 1));
    }
    const Batch batch = batches.batch(0, i);
    network->prepare(batch.sample_keys, 0);
    network->forward(batch.inputs);
  }
  for (const auto& [norm, momentum] : norms) {
    norm->set_momentum(momentum);
  }
  if (ranks != nullptr) {
    average_statistics(norms_of(*network), *ranks);
  }
}

Network remade(const Network& like, const ir::Graph& graph, uint64_t seed) {
  Network network(graph, seed);
  const std::vector<at::Tensor> parameters = like->parameters();
  if (!parameters.empty()) {
    network->to(parameters.front().device(), parameters.front().scalar_type());
  }
  network->set_precision(like->precision());
  network->set_executor(like->executor());
  network->synchronise(like->synchronised());
  return network;
}

Network inherit(const Network& supernet, const Architecture& architecture) {
  const ir::Graph& space = supernet->graph();
  Network network = remade(supernet, ir::freeze(space, ir::canonical(space, architecture)), 0);
  copy_weights(weights_of(supernet, architecture), *network);
  return network;
}

NamedTensors weights_of(const Network& supernet, const Architecture& architecture) {
  NamedTensors weights = weights_of(*supernet);
  const Architecture decided = ir::completed(supernet->graph(), architecture);
  for (const auto& module : supernet->named_modules()) {
    const auto elastic = std::dynamic_pointer_cast<ElasticLayer>(module.value());
    if (!elastic || elastic->labels().empty()) {
      continue;
    }
    for (const auto& [name, part] : elastic->weights_at(decided)) {
      weights[module.key() + "." + name] = part;
    }
  }
  return weights;
}

NamedTensors weights_of(const torch::nn::Module& module) {
  NamedTensors tensors = named_parameters(module);
  for (const auto& item : module.named_buffers()) {
    tensors[item.key()] = item.value();
  }
  return tensors;
}

void copy_weights(const NamedTensors& from, torch::nn::Module& to) {
  const NamedTensors targets = weights_of(to);
  for (const auto& [name, target] : targets) {
    const auto found = from.find(name);
    TORCH_CHECK(found != from.end(), "there are no weights for '", name,
                "': they come from another space or version");
    TORCH_CHECK(found->second.sizes() == target.sizes(), "the weights of '", name, "' are ",
                found->second.sizes(), ", expected ", target.sizes(),
                ": they come from another setting of the space");
  }
  const at::NoGradGuard no_grad;
  for (const auto& [name, target] : targets) {
    target.copy_(from.at(name));
  }
}

}  // namespace retia
