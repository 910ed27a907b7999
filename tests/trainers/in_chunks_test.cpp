#include "retia/trainers/in_chunks.h"

#include <ATen/Parallel.h>
#include <ATen/ops/_fused_sgd.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/randn.h>
#include <gmock/gmock.h>
#include <torch/optim/sgd.h>

#include <mutex>
#include <set>

#include "retia/tests/kernels/on_threads.h"
#include "retia/trainers/optimizer.h"

namespace retia {
namespace {

using testing::ElementsAre;
using Part = std::pair<size_t, size_t>;

std::vector<Part> parts_of(const std::vector<int64_t>& sizes, int n_threads) {
  const Threads threads(n_threads);
  std::vector<at::Tensor> tensors;
  for (const int64_t size : sizes) {
    tensors.push_back(at::randn({size}));
  }
  std::mutex mutex;
  std::set<Part> parts;
  in_chunks(tensors, [&](size_t first, size_t n) {
    const std::lock_guard lock(mutex);
    parts.emplace(first, n);
  });
  return {parts.begin(), parts.end()};
}

TEST(InChunks, DividesNumbersEvenlyAmongThreads) {
  EXPECT_THAT(parts_of({5000, 5000, 5000, 5000}, 2), ElementsAre(Part(0, 2), Part(2, 2)));
  EXPECT_THAT(parts_of({15000, 1000, 1000, 0}, 2), ElementsAre(Part(0, 1), Part(1, 3)));
  EXPECT_THAT(parts_of({5000, 5000}, 1), ElementsAre(Part(0, 2)));
  EXPECT_THAT(parts_of({1, 1, 1}, 2), ElementsAre(Part(0, 3))) << "too little work";
  EXPECT_THAT(parts_of({}, 2), testing::IsEmpty());
}

/// Parameters of 25,000 numbers in all; of the last two one is transposed, one a part of another
/// tensor if asked for.
NamedTensors parameters(bool with_part) {
  torch::manual_seed(1);
  NamedTensors made;
  for (int i = 0; i < 20; ++i) {
    made[c10::str("a", i)] = at::randn({50, 20 + i}).requires_grad_();
  }
  made["b"] = at::randn({30, 40}).t().detach().requires_grad_();
  made["c"] = (with_part ? at::randn({30, 40}).slice(1, 0, 20) : at::randn({30, 20}))
                  .detach()
                  .requires_grad_();
  return made;
}

/// Gradients of another layout; one is undefined.
std::vector<at::Tensor> gradients_of(const std::vector<at::Tensor>& of, uint64_t seed) {
  torch::manual_seed(seed);
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& parameter : of) {
    gradients.push_back(at::randn({parameter.size(1), parameter.size(0)}).t());
  }
  gradients[3] = at::Tensor();
  return gradients;
}

/// The parameters after three steps; after the first the state is saved and loaded.
std::vector<at::Tensor> trained(const SgdOptions& options, bool with_part) {
  const NamedTensors given = parameters(with_part);
  Optimizer first = Optimizer::sgd(given, options), second = Optimizer::sgd(given, options);
  first.step({first.parameters(), gradients_of(first.parameters(), 1)});
  NamedTensors state;
  for (const auto& [name, tensor] : first.state()) {
    state[name] = tensor.contiguous();
  }
  second.load_state(state);
  for (const uint64_t seed : {2, 3}) {
    second.step({second.parameters(), gradients_of(second.parameters(), seed)});
  }
  return second.parameters();
}

TEST(InChunks, TakesTheStepsOfSgdOnAnyNumberOfThreads) {
  for (const double momentum : {0.0, 0.9}) {
    for (const bool with_part : {false, true}) {
      SCOPED_TRACE(c10::str("momentum ", momentum, with_part ? ", a part of a tensor" : ""));
      const SgdOptions options = {.lr = 0.1, .momentum = momentum, .gradient_clip = 0};
      std::vector<at::Tensor> wanted;
      for (auto& [name, parameter] : parameters(with_part)) {
        wanted.push_back(parameter);
      }
      torch::optim::SGD sgd(wanted, torch::optim::SGDOptions(options.lr)
                                        .momentum(options.momentum)
                                        .weight_decay(options.weight_decay));
      for (const uint64_t seed : {1, 2, 3}) {
        const std::vector<at::Tensor> gradients = gradients_of(wanted, seed);
        for (size_t i = 0; i < wanted.size(); ++i) {
          wanted[i].mutable_grad() = gradients[i];
        }
        sgd.step();
      }
      const std::vector<at::Tensor> got = trained(options, with_part);
      for (size_t i = 0; i < got.size(); ++i) {
        EXPECT_TRUE(at::allclose(got[i], wanted[i], 1e-5, 1e-6)) << i;
      }
      expect_same_bits_on_any_threads([&] { return trained(options, with_part); });
    }
  }
}

TEST(InChunks, StepsTiedWeightsOnceOnAnyNumberOfThreads) {
  const auto trained_once = [](bool is_tied) {
    torch::manual_seed(1);
    const at::Tensor weight = at::randn({200, 100}).requires_grad_();
    NamedTensors given = {{"first.weight", weight}};
    if (is_tied) {
      given["second.weight"] = weight;
    }
    Optimizer optimizer = Optimizer::sgd(given, {.lr = 0.1, .gradient_clip = 0});
    for (int step = 0; step < 2; ++step) {
      std::vector<at::Tensor> gradients;
      for (const at::Tensor& parameter : optimizer.parameters()) {
        gradients.push_back(at::ones_like(parameter));
      }
      optimizer.step({optimizer.parameters(), gradients});
    }
    EXPECT_EQ(optimizer.state().count("second.weight/momentum"), 0u);
    return weight.detach().clone();
  };
  for (const int n_threads : {1, 2, 4}) {
    const Threads threads(n_threads);
    EXPECT_TRUE(at::equal(trained_once(true), trained_once(false))) << n_threads;
  }
}

TEST(InChunks, DividesALargeWeightAmongThreadsWithoutAChangeOfItsBits) {
  constexpr int64_t kNumbers = 300007;  // no multiple of a piece or a vector
  for (const double momentum : {0.0, 0.9}) {
    torch::manual_seed(2);
    const at::Tensor start = at::randn({kNumbers}), gradient = at::randn({kNumbers});
    const at::Tensor expected = start.clone(), buffer = at::empty_like(start);
    const std::vector<at::Tensor> none;
    for (const bool is_first : {true, false}) {
      at::_fused_sgd_({expected}, {gradient},
                      momentum == 0 ? at::TensorList(none) : at::TensorList(buffer), 3e-4, momentum,
                      0.1, 0, false, false, is_first);
    }
    for (const int n_threads : {1, 3}) {
      const Threads threads(n_threads);
      const at::Tensor weight = start.clone().requires_grad_();
      Optimizer optimizer =
          Optimizer::sgd({{"w", weight}}, {.lr = 0.1, .momentum = momentum, .gradient_clip = 0});
      optimizer.step({{weight}, {gradient}});
      optimizer.step({{weight}, {gradient}});
      EXPECT_TRUE(at::equal(weight, expected)) << momentum << " " << n_threads;
    }
  }
}

}  // namespace
}  // namespace retia
