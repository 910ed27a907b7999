#include "retia/mutators/proxyless.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/equal.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <set>

#include "retia/engine/executor/network.h"
#include "retia/mutators/darts.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"
#include "retia/tests/mutators/live_bytes.h"

namespace retia {
namespace {

using testing::HasSubstr;

class Proxyless : public testing::Test {
 protected:
  /// One layer choice of four candidates, none of which is alike.
  Proxyless() {
    Builder b("four");
    const Wire x = b.input("x", {2, 4, 4});
    b.output("y", b.layer_choice("op",
                                 {{"none", ops::zero()},
                                  {"relu", ops::relu()},
                                  {"skip", ops::identity()},
                                  {"max", ops::max_pool2d()}},
                                 {x}));
    network_ = Network(b.finish(), 1);
    network_->to(at::kDouble);
    mutator_ =
        std::make_unique<ProxylessMutator>(*network_, AlphaOptions{.alpha_scale = 0.7, .seed = 4});
  }

  void use_one_path() {
    mutator_.reset();
    mutator_ = std::make_unique<ProxylessMutator>(*network_,
                                                  AlphaOptions{.alpha_scale = 0.7, .seed = 4}, 1);
  }

  at::Tensor path(int64_t k) {
    mutator_->apply({{"op", {{k}}}});
    return network_->forward(x_);
  }

  Network network_ = nullptr;
  std::unique_ptr<ProxylessMutator> mutator_;
  at::Tensor x_ = normal_tensor({3, 2, 4, 4}, 9).to(at::kDouble);
};

TEST_F(Proxyless, RunsOnePathInAStepThatTrainsWeights) {
  for (int i = 0; i < 5; ++i) {
    mutator_->reset();
    ASSERT_EQ(mutator_->current().at("op").chosen.size(), 1);
    EXPECT_FALSE(mutator_->weights(mutator_->mutable_of("op")).defined());
  }
}

TEST_F(Proxyless, OpensOneOfTwoGatesInAStepThatTrainsAlphas) {
  std::set<std::vector<int64_t>> pairs;
  for (int i = 0; i < 300; ++i) {
    mutator_->apply(mutator_->sample_architecture_step());
    const Architecture held = mutator_->current();
    const std::vector<int64_t> pair = held.at("op").chosen;
    ASSERT_EQ(pair.size(), 2);
    pairs.insert(pair);
    const at::Tensor gates = mutator_->weights(mutator_->mutable_of("op"));
    const int64_t open = gates[0].item<double>() == 1 ? 0 : 1;
    EXPECT_EQ(gates[open].item<double>(), 1);
    EXPECT_EQ(gates[1 - open].item<double>(), 0);
    const at::Tensor output = network_->forward(x_);
    EXPECT_TRUE(at::equal(output, path(pair[static_cast<size_t>(open)])));
  }
  EXPECT_EQ(pairs.size(), 6);  // also with the candidate that makes zeros
}

TEST_F(Proxyless, GivesTheGateGradientsThatEnumerationGives) {
  for (int i = 0; i < 20; ++i) {
    mutator_->apply(mutator_->sample_architecture_step());
    const std::vector<int64_t> pair = mutator_->current().at("op").chosen;
    const at::Tensor alpha = mutator_->alpha("op");
    const at::Tensor output = network_->forward(x_);
    const at::Tensor of_output = output.detach() * 2;  // of the loss |output|^2
    const at::Tensor found = torch::autograd::grad({output.square().sum()}, {alpha}).front();

    const at::NoGradGuard no_grad;
    const double a = alpha[pair[0]].item<double>(), b = alpha[pair[1]].item<double>();
    const double p[2] = {1 / (1 + std::exp(b - a)), 1 / (1 + std::exp(a - b))};
    double gate[2];
    for (size_t j = 0; j < 2; ++j) {
      gate[j] = (path(pair[j]) * of_output).sum().item<double>();
    }
    at::Tensor expected = at::zeros({4}, at::kDouble);
    for (size_t k = 0; k < 2; ++k) {
      double sum = 0;
      for (size_t j = 0; j < 2; ++j) {
        sum += gate[j] * p[j] * ((k == j ? 1 : 0) - p[k]);
      }
      expected[pair[k]] = sum;
    }
    EXPECT_TRUE(at::allclose(found, expected, 1e-9, 1e-12)) << found << expected;
    EXPECT_NEAR(found.sum().item<double>(), 0, 1e-9);
  }
}

// p = (1/2, 1/2) and gate gradients (1, 0): dL/dalpha = (1/4, -1/4).
TEST_F(Proxyless, GivesTheGradientDerivedByHand) {
  {
    const at::NoGradGuard no_grad;
    at::Tensor alpha = mutator_->alpha("op");
    alpha.zero_();
  }
  mutator_->apply(mutator_->sample_architecture_step());
  const std::vector<int64_t> pair = mutator_->current().at("op").chosen;
  const at::Tensor gates = mutator_->weights(mutator_->mutable_of("op"));
  const at::Tensor found = torch::autograd::grad({gates[0]}, {mutator_->alpha("op")}).front();
  EXPECT_DOUBLE_EQ(found[pair[0]].item<double>(), 0.25);
  EXPECT_DOUBLE_EQ(found[pair[1]].item<double>(), -0.25);
}

TEST_F(Proxyless, KeepsTheProbabilityOfThePairAndOfTheOthersInAStep) {
  mutator_->apply(mutator_->sample_architecture_step());
  const std::vector<int64_t> pair = mutator_->current().at("op").chosen;
  const std::vector<double> before = mutator_->probabilities().at("op");
  {
    const at::NoGradGuard no_grad;
    at::Tensor alpha = mutator_->alpha("op");
    alpha[pair[0]] += 0.4;
    alpha[pair[1]] -= 0.1;
  }
  mutator_->end_architecture_step();
  const std::vector<double> after = mutator_->probabilities().at("op");
  for (size_t k = 0; k < 4; ++k) {
    const bool moved = static_cast<int64_t>(k) == pair[0] || static_cast<int64_t>(k) == pair[1];
    if (moved) {
      EXPECT_GT(std::abs(after[k] - before[k]), 1e-3);
    } else {
      EXPECT_NEAR(after[k], before[k], 1e-12);
    }
  }
}

// dL/dalpha_i = sum_j <dL/dy, o_j(x)> p_j (delta_ij - p_i) over all candidates.
TEST_F(Proxyless, GivesTheGradientOfEnumerationOverAllPathsWithOneInMemory) {
  use_one_path();
  std::set<int64_t> opened;
  for (int i = 0; i < 40; ++i) {
    mutator_->apply(mutator_->sample_architecture_step());
    const std::vector<int64_t> open = mutator_->current().at("op").chosen;
    ASSERT_EQ(open.size(), 1);
    opened.insert(open.front());
    EXPECT_FALSE(mutator_->weights(mutator_->mutable_of("op")).defined());
    const at::Tensor alpha = mutator_->alpha("op");
    const at::Tensor output = network_->forward(x_);
    const at::Tensor of_output = output.detach() * 2;  // of the loss |output|^2
    const at::Tensor found = torch::autograd::grad({output.square().sum()}, {alpha}).front();

    const at::NoGradGuard no_grad;
    const std::vector<double> p = mutator_->probabilities().at("op");
    at::Tensor expected = at::zeros({4}, at::kDouble);
    for (int64_t j = 0; j < 4; ++j) {
      const double of_gate = (path(j) * of_output).sum().item<double>();
      for (int64_t k = 0; k < 4; ++k) {
        const double p_k = p[static_cast<size_t>(k)];
        expected[k] += of_gate * p[static_cast<size_t>(j)] * ((k == j ? 1 : 0) - p_k);
      }
    }
    EXPECT_TRUE(at::allclose(found, expected, 1e-9, 1e-12)) << found << expected;
    EXPECT_NEAR(found.sum().item<double>(), 0, 1e-9);
    EXPECT_TRUE(at::equal(output, path(open.front())));
  }
  EXPECT_EQ(opened.size(), 4);
}

TEST_F(Proxyless, LeavesWhatIsNotOpenAloneAfterAStepWithOnePath) {
  use_one_path();
  mutator_->apply(mutator_->sample_architecture_step());
  const std::vector<double> before = mutator_->probabilities().at("op");
  mutator_->end_architecture_step();
  EXPECT_EQ(mutator_->probabilities().at("op"), before);
  mutator_->reset();
  EXPECT_FALSE(mutator_->gates(mutator_->mutable_of("op")).defined()) << "in a step of the weights";
}

/// Choices between two inputs, one of which a layer choice makes.
TEST_F(Proxyless, JoinsTwoInputsAlsoWithOnePath) {
  Builder b("net");
  const Wire x = b.input("x", {2, 4, 4});
  const Wire op = b.layer_choice("op", {{"tanh", ops::tanh()}, {"max", ops::max_pool2d()}}, {x});
  b.output("y", b.input_choice("from", {x, op}));
  network_ = Network(b.finish(), 1);
  network_->to(at::kDouble);
  mutator_.reset();
  mutator_ = std::make_unique<ProxylessMutator>(*network_, AlphaOptions{.seed = 4}, 1);
  int n_learnt = 0;  // of `op`: where the gate of what it makes is open
  for (int i = 0; i < 40; ++i) {
    mutator_->apply(mutator_->sample_architecture_step());
    EXPECT_EQ(mutator_->current().at("op").chosen.size(), 1);
    EXPECT_EQ(mutator_->current().at("from").chosen.size(), 2);
    const std::vector<at::Tensor> found = torch::autograd::grad(
        {network_->forward(x_).square().sum()}, {mutator_->alpha("op"), mutator_->alpha("from")});
    EXPECT_GT(found[1].abs().max().item<double>(), 0);
    n_learnt += found[0].abs().max().item<double>() > 0 ? 1 : 0;
    for (const at::Tensor& gradient : found) {
      EXPECT_NEAR(gradient.sum().item<double>(), 0, 1e-9);
    }
  }
  EXPECT_GT(n_learnt, 8);
  EXPECT_LT(n_learnt, 32);
}

/// What a forward pass keeps for the backward one, in bytes: activations, as weights are there
/// before.
class ProxylessMemory : public testing::Test {
 protected:
  static constexpr int64_t kLayers = 4, kCandidates = 6;

  static ir::Graph space() {
    Builder b("deep");
    Wire x = b.input("x", {8, 16, 16});
    for (int64_t i = 0; i < kLayers; ++i) {
      std::vector<ir::CandidateWriter> candidates;
      for (int64_t k = 0; k < kCandidates; ++k) {
        candidates.emplace_back("conv" + std::to_string(k), block());
      }
      x = b.layer_choice("op" + std::to_string(i), candidates, {x});
    }
    b.output("y", x);
    return b.finish();
  }

  int64_t kept(Mutator& mutator, const Architecture& architecture) {
    mutator.apply(architecture);
    const LiveBytes bytes;
    const at::Tensor output = network_->forward(x_);
    return bytes.now();
  }

  Network network_{space(), 1};
  at::Tensor x_ =
      normal_tensor({4, 8, 16, 16}, 9).to(at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
};

TEST_F(ProxylessMemory, HoldsOnePathOrTwoWhereDartsHoldsAll) {
  const int64_t map = x_.numel() * x_.element_size();
  const auto per_layer = [&](int64_t bytes) {
    return static_cast<double>(bytes) / static_cast<double>(map * kLayers);
  };
  double plain = 0, one = 0, two = 0, all = 0;
  {
    ProxylessMutator mutator(*network_, {.seed = 1}, 1);
    plain = per_layer(kept(mutator, mutator.sample_search()));
    one = per_layer(kept(mutator, mutator.sample_architecture_step()));
  }
  {
    ProxylessMutator mutator(*network_, {.seed = 1}, 2);
    two = per_layer(kept(mutator, mutator.sample_architecture_step()));
  }
  {
    DartsMutator mutator(*network_, {.seed = 1});
    all = per_layer(kept(mutator, mutator.sample_search()));
  }
  RecordProperty("maps_per_layer",
                 c10::str("plain ", plain, ", one ", one, ", two ", two, ", all ", all));
  EXPECT_NEAR(plain, 2, 0.1) << "what the convolution and what its normalisation make";
  EXPECT_NEAR(one, plain, 0.05);
  EXPECT_GT(two, 1.9 * plain);
  EXPECT_GT(all, 5.7 * plain);
}

TEST_F(Proxyless, ContinuesFromItsState) {
  mutator_->reset();
  const Json saved = mutator_->state();
  const Architecture next = mutator_->sample_architecture_step();
  mutator_->load_state(saved);
  EXPECT_EQ(mutator_->sample_architecture_step(), next);
}

TEST_F(Proxyless, RefusesAChoiceThatKeepsSeveralInputs) {
  Builder b("net");
  const Wire x = b.input("x", {2, 4, 4});
  const Wire y = b.add("y", ops::relu(), {x});
  const Wire z = b.add("z", ops::relu(), {y});
  b.output("out", b.input_choice("two", {x, y, z}, {.n_chosen = 2}));
  Network network(b.finish(), 1);
  EXPECT_THAT(error_of([&] { ProxylessMutator(*network, {}); }),
              HasSubstr("proxyless opens one gate of a choice, but 'two' keeps 2"));
  mutator_.reset();
  EXPECT_THAT(error_of([&] { ProxylessMutator(*network_, {}, 3); }),
              HasSubstr("paths must be 1 or 2, got 3"));
}

}  // namespace
}  // namespace retia
