#pragma once

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "retia/engine/executor/network.h"
#include "retia/engine/operations/batch_norm.h"

namespace retia {

/// The results of a pass forward and back.
struct Results {
  at::Tensor out;
  std::vector<at::Tensor> gradients, statistics;
};

/// The mode of the network. Quiet: training, running statistics unchanged.
enum class Mode { Training, Evaluation, Quiet };

/// One pass forward and back, in float64, of the supernet of `space`, rewritten by `passes` and
/// driven by a mutator that is made of it and `arguments`.
template <class MutatorType, class... Arguments>
Results results_of(const ir::Graph& space, const std::vector<executor::Pass>& passes, Mode mode,
                   int64_t batch, Arguments&&... arguments) {
  at::manual_seed(7);
  Network network(space, 3);
  network->to(at::kDouble);
  network->set_passes(passes);
  network->train(mode != Mode::Evaluation);
  for (const auto& module : network->modules()) {
    if (auto* norm = dynamic_cast<BatchNormLayer*>(module.get())) {
      norm->keep_statistics(mode == Mode::Quiet);
    }
  }
  MutatorType mutator(*network, std::forward<Arguments>(arguments)...);
  mutator.reset();
  std::vector<int64_t> sizes = {batch};
  for (const Dim& dim : std::get<ir::Input>(space.inputs().front()->body).shape) {
    sizes.push_back(dim.value());
  }
  const at::Tensor x = at::randn(sizes, at::kDouble).requires_grad_();
  const at::Tensor out = network->forward(x);
  std::vector<at::Tensor> leaves = network->parameters();
  for (const at::Tensor& alpha : mutator.parameters()) {
    leaves.push_back(alpha);
  }
  leaves.push_back(x);
  const at::Tensor weight = at::randn(out.sizes(), at::kDouble);
  return {out.detach(),
          torch::autograd::grad({(out * weight).sum()}, leaves, {}, std::nullopt, false, true),
          network->buffers()};
}

template <class MutatorType, class... Arguments>
Results results_of(const ir::Graph& space, Executor executor, Mode mode, int64_t batch,
                   Arguments&&... arguments) {
  return results_of<MutatorType>(space, executor::passes_of(executor), mode, batch,
                                 std::forward<Arguments>(arguments)...);
}

inline void expect_close(const std::vector<at::Tensor>& got,
                         const std::vector<at::Tensor>& expected, const char* what) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    const bool zero = !expected[i].defined() || expected[i].abs().max().item<double>() == 0;
    if (!got[i].defined() || !expected[i].defined()) {
      EXPECT_TRUE(zero && (!got[i].defined() || got[i].abs().max().item<double>() == 0))
          << what << " " << i;
      continue;
    }
    ASSERT_EQ(got[i].sizes(), expected[i].sizes()) << what << " " << i;
    const double scale = std::max(1.0, expected[i].abs().max().item<double>());
    EXPECT_LE((got[i] - expected[i]).abs().max().item<double>(), 1e-10 * scale) << what << " " << i;
  }
}

inline void expect_same(const Results& fused, const Results& reference) {
  expect_close({fused.out}, {reference.out}, "result");
  expect_close(fused.gradients, reference.gradients, "gradient");
  expect_close(fused.statistics, reference.statistics, "statistic");
}

}  // namespace retia
