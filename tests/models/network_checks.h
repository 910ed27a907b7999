#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Generator.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "retia/engine/base/random.h"
#include "retia/engine/executor/network.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/mutables/mutator.h"
#include "retia/engine/space/freeze.h"
#include "retia/models/operations.h"
#include "retia/models/spaces.h"
#include "retia/trainers/score.h"

namespace retia {

/// Does what it is told by apply().
class GivenMutator final : public Mutator {
 public:
  using Mutator::Mutator;
  Architecture sample_search() override { return current(); }
  Architecture sample_final() const override { return current(); }
};

inline Architecture random_architecture(const std::vector<Mutable>& mutables, Random& random) {
  Architecture architecture;
  for (const Mutable& choice : mutables) {
    architecture[choice.label].chosen = random.choose(
        choice.n_chosen.value_or(random.below(choice.n_candidates() + 1)), choice.n_candidates());
  }
  return architecture;
}

/// The architecture that chooses candidate `index` of every layer choice (the last where it has
/// fewer), of other choices the first or,
/// where any number may be chosen, all.
inline Architecture uniform_architecture(const std::vector<Mutable>& mutables, int64_t index) {
  Architecture architecture;
  for (const Mutable& choice : mutables) {
    for (int64_t k = 0; k < choice.n_chosen.value_or(choice.n_candidates()); ++k) {
      const bool layer = choice.kind == MutableKind::LayerChoice;
      architecture[choice.label].chosen.push_back(layer ? std::min(index, choice.n_candidates() - 1)
                                                        : k);
    }
  }
  return architecture;
}

inline int64_t count_parameters(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const at::Tensor& parameter : module.parameters()) {
    count += parameter.numel();
  }
  return count;
}

/// Gives each parameter and buffer of `target` the value of `source`'s of the same name.
inline void load_by_name(torch::nn::Module& target, const torch::nn::Module& source) {
  const at::NoGradGuard no_grad;
  const auto parameters = source.named_parameters();
  for (auto& item : target.named_parameters()) {
    item.value().copy_(parameters[item.key()]);
  }
  const auto buffers = source.named_buffers();
  for (auto& item : target.named_buffers()) {
    item.value().copy_(buffers[item.key()]);
  }
}

/// A batch of standard normal numbers in double.
inline at::Tensor random_batch(int64_t size, std::vector<int64_t> sample, uint64_t seed) {
  sample.insert(sample.begin(), size);
  return at::randn(sample, at::detail::createCPUGenerator(seed), at::kDouble);
}

inline void expect_reads_back_equal(const ir::Graph& graph) {
  OperationTable operations = standard_operations();
  add_model_operations(operations);
  const Json read = Json::parse(ir::to_json(graph).dump());
  EXPECT_TRUE(ir::graph_from_json(read, operations) == graph);
}

/// Runs every candidate of every layer choice, forward and backward.
inline void expect_every_candidate_runs(const ir::Graph& graph, const std::vector<int64_t>& sample,
                                        int64_t n_outputs) {
  Network network(graph, 1);
  network->to(at::kDouble);
  GivenMutator mutator(*network);
  int64_t most = 1;
  for (const Mutable& choice : mutator.mutables()) {
    most = choice.kind == MutableKind::LayerChoice ? std::max(most, choice.n_candidates()) : most;
  }
  for (int64_t index = 0; index < most; ++index) {
    mutator.apply(uniform_architecture(mutator.mutables(), index));
    const at::Tensor logits = network->forward(random_batch(3, sample, 2));
    EXPECT_EQ(logits.sizes(), at::IntArrayRef({3, n_outputs})) << "candidate " << index;
    EXPECT_TRUE(logits.isfinite().all().item<bool>()) << "candidate " << index;
    logits.sum().backward();
  }
}

/// A model frozen from the space with the supernet's weights computes what the supernet computes on
/// that path.
inline void expect_frozen_equals_path(const ir::Graph& graph, const std::vector<int64_t>& sample) {
  Network supernet(graph, 1);
  supernet->to(at::kDouble);
  GivenMutator mutator(*supernet);
  Random random(7);
  const at::Tensor batch = random_batch(4, sample, 3);
  for (int i = 0; i < 20; ++i) {
    const Architecture architecture = random_architecture(mutator.mutables(), random);
    mutator.apply(architecture);
    Network frozen = inherit(supernet, architecture);
    const at::Tensor expected = supernet->forward(batch);
    const at::Tensor found = frozen->forward(batch);
    EXPECT_LE((found - expected).abs().max().item<double>(), 1e-12) << architecture.to_string();
  }
}

}  // namespace retia
