#include "retia/mutators/darts.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros_like.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <cmath>

#include "retia/engine/executor/network.h"
#include "retia/tests/engine/example_spaces.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kNone = 0;
constexpr int64_t kSkip = 1;
constexpr int64_t kConv = 2;

/// A node of DARTS: three edges from one value, of which two are kept; an input choice whose inputs
/// are not all edges; and one that keeps all of its inputs.
ir::Graph cell_space() {
  Builder b("cell");
  const Wire x = b.input("x", {2, 5, 5});
  const Wire stem = b.add("stem", ops::conv2d({.out = 3}), {x});
  std::vector<Wire> edges;
  for (const std::string name : {"edge0", "edge1", "edge2"}) {
    edges.push_back(b.layer_choice(
        name, {{"none", ops::zero()}, {"skip", ops::identity()}, {"conv", ops::conv2d({})}},
        {stem}));
  }
  const Wire node = b.input_choice("node", edges, {.n_chosen = 2});
  const Wire mixed = b.input_choice("mixed", {stem, node});
  const Wire both = b.input_choice("both", {mixed, stem}, {.n_chosen = 2});
  const Wire pooled = b.add("pooled", ops::global_mean(), {b.add("relu", ops::relu(), {both})});
  b.output("logits", b.add("head", ops::linear({.out = 2}), {pooled}));
  return b.finish();
}

class DartsMutatorOnCell : public testing::Test {
 protected:
  DartsMutatorOnCell() { randomise(*network_, 2); }

  void set(const std::string& label, const std::vector<double>& values) {
    const at::NoGradGuard no_grad;
    mutator().alpha(label).copy_(at::tensor(values, at::kDouble));
  }
  DartsMutator& mutator() {
    if (!mutator_) {
      mutator_ = std::make_unique<DartsMutator>(*network_, AlphaOptions{.seed = 3});
    }
    return *mutator_;
  }
  std::vector<int64_t> exported(const std::string& label) {
    return mutator().export_architecture().at(label).chosen;
  }
  at::Tensor loss() {
    mutator().reset();
    const at::Tensor logits = network_->forward(normal_tensor({4, 2, 5, 5}, 4));
    return (logits * logits).mean() + logits.select(1, 0).sum();
  }

  Network network_{cell_space(), 1};
  std::unique_ptr<DartsMutator> mutator_;
};

TEST_F(DartsMutatorOnCell, OwnsOneVectorOfSmallAlphasForEachChoiceThatBlends) {
  std::vector<std::string> names;
  for (const auto& item : mutator().named_parameters()) {
    names.push_back(item.key());
    EXPECT_EQ(item.value().scalar_type(), at::kDouble);
    EXPECT_TRUE(item.value().requires_grad());
    EXPECT_LT(item.value().abs().max().item<double>(), 5e-3);
    EXPECT_GT(item.value().abs().max().item<double>(), 1e-6);
  }
  EXPECT_THAT(names, ElementsAre("edge0", "edge1", "edge2", "mixed"));
  EXPECT_THAT(mutator().alpha("mixed").sizes(), ElementsAre(2));
  EXPECT_THAT(error_of([&] { mutator().alpha("node"); }), HasSubstr("'node' has no alphas"));
  EXPECT_THAT(error_of([&] { mutator().alpha("edge3"); }), HasSubstr("no choice labelled 'edge3'"));
}

TEST_F(DartsMutatorOnCell, DrawsItsAlphasBySeed) {
  const at::Tensor first = mutator().alpha("edge1").detach().clone();
  mutator_.reset();
  EXPECT_TRUE(at::equal(mutator().alpha("edge1"), first));
  mutator_.reset();
  const DartsMutator other(*network_, {.seed = 4});
  EXPECT_FALSE(at::equal(other.alpha("edge1"), first));
}

TEST_F(DartsMutatorOnCell, WeighsByTheSoftmaxOfAlpha) {
  set("edge0", {0, std::log(2.0), std::log(5.0)});
  mutator().reset();
  EXPECT_TRUE(at::allclose(mutator().weights(mutator().mutable_of("edge0")),
                           at::tensor({0.125, 0.25, 0.625}, at::kDouble)));
  EXPECT_FALSE(mutator().weights(mutator().mutable_of("node")).defined());
  EXPECT_FALSE(mutator().weights(mutator().mutable_of("both")).defined());
}

TEST_F(DartsMutatorOnCell, BlendsEveryCandidateOfEveryChoice) {
  set("edge0", {1, 2, 3});
  set("edge1", {-1, 0.5, 0});
  set("edge2", {0, 0, 2});
  set("mixed", {0.25, -0.5});
  network_->eval();
  mutator().reset();
  const at::Tensor x = normal_tensor({4, 2, 5, 5}, 4);
  const auto parameters = network_->named_parameters();
  const at::Tensor stem = at::conv2d(x, parameters["stem.weight"], {}, 1, 1);
  at::Tensor node = at::zeros_like(stem);
  for (const std::string name : {"edge0", "edge1", "edge2"}) {
    const at::Tensor p = mutator().alpha(name).softmax(0);
    node = node + p[kSkip] * stem +
           p[kConv] * at::conv2d(stem, parameters[name + "/conv.weight"], {}, 1, 1);
  }
  const at::Tensor q = mutator().alpha("mixed").softmax(0);
  const at::Tensor pooled = (q[0] * stem + q[1] * node + stem).relu().mean({2, 3});
  EXPECT_TRUE(at::allclose(network_->forward(x),
                           at::linear(pooled, parameters["head.weight"], parameters["head.bias"]),
                           1e-10, 1e-10));
}

TEST_F(DartsMutatorOnCell, KeepsTheStrongestCandidateButNone) {
  set("edge0", {9, -1, 2});
  set("edge1", {9, 3, 2});
  set("edge2", {-9, 0, 0});
  EXPECT_THAT(exported("edge0"), ElementsAre(kConv));
  EXPECT_THAT(exported("edge1"), ElementsAre(kSkip));
  EXPECT_THAT(exported("edge2"), ElementsAre(kSkip));  // of equal ones the first
}

TEST_F(DartsMutatorOnCell, KeepsTheEdgesWithTheStrongestSoftmaxWeightNotAlpha) {
  // Strongest alphas but "none": 2, 1, 0.5. Softmax weights, "none" in the denominator:
  // e^2 / (e^5 + e^2 + e^-9) = 0.047, e / (1 + e + e^-9) = 0.731, e^0.5 / (e^-1 + e^0.5 + e^-9) =
  // 0.818
  set("edge0", {5, 2, -9});
  set("edge1", {0, -9, 1});
  set("edge2", {-1, 0.5, -9});
  EXPECT_THAT(exported("node"), ElementsAre(1, 2));
  set("edge0", {-5, 2, -9});
  EXPECT_THAT(exported("node"), ElementsAre(0, 2));
}

TEST_F(DartsMutatorOnCell, RanksAnEdgeByItsStrongestCandidateNotByTheirSum) {
  set("edge0", {0, 1, 1});     // 0.42 each, 0.84 together
  set("edge1", {0, -9, 0});    // 0.50
  set("edge2", {0, 0.5, -9});  // 0.62
  EXPECT_THAT(exported("node"), ElementsAre(1, 2));
}

TEST_F(DartsMutatorOnCell, KeepsTheInputsOfTheStrongestAlphasWhereTheyAreNotAllEdges) {
  set("mixed", {0.1, 0.2});
  EXPECT_THAT(exported("mixed"), ElementsAre(1));
  set("mixed", {0.1, -0.2});
  EXPECT_THAT(exported("mixed"), ElementsAre(0));
  EXPECT_THAT(exported("both"), ElementsAre(0, 1));
}

TEST_F(DartsMutatorOnCell, ExportsWithoutChangingAnything) {
  mutator().reset();
  std::map<std::string, at::Tensor> before;
  for (const auto& item : mutator().named_parameters()) {
    before[item.key()] = item.value().detach().clone();
  }
  const Architecture current = mutator().current();
  const Json state = mutator().state();
  EXPECT_EQ(mutator().export_architecture(), mutator().export_architecture());
  EXPECT_EQ(mutator().current(), current);
  EXPECT_EQ(mutator().state(), state);
  for (const auto& item : mutator().named_parameters()) {
    EXPECT_TRUE(at::equal(item.value(), before.at(item.key())));
    EXPECT_FALSE(item.value().grad().defined());
  }
}

TEST_F(DartsMutatorOnCell, RunsTheArchitectureItKeepsUnweighted) {
  const at::NoGradGuard no_grad;
  network_->eval();
  const at::Tensor x = normal_tensor({4, 2, 5, 5}, 4);
  const Architecture kept = mutator().export_architecture();
  mutator().apply(kept);
  const at::Tensor logits = network_->forward(x);
  mutator_.reset();
  AppliedMutator applied(*network_);
  applied.apply(kept);
  EXPECT_TRUE(at::equal(network_->forward(x), logits));
}

TEST_F(DartsMutatorOnCell, HasTheGradientThatFiniteDifferencesGive) {
  set("edge0", {0.3, -0.2, 0.5});
  set("edge1", {-1, 0.4, 0.1});
  set("edge2", {0, 0.2, -0.6});
  set("mixed", {0.7, -0.3});
  constexpr double kStep = 1e-5;
  for (const std::string label : {"edge0", "edge1", "edge2", "mixed"}) {
    const at::Tensor alpha = mutator().alpha(label);
    const at::Tensor gradient = torch::autograd::grad({loss()}, {alpha}).front();
    EXPECT_GT(gradient.abs().max().item<double>(), 1e-6);
    EXPECT_NEAR(gradient.sum().item<double>(), 0, 1e-9);  // softmax does not feel a shift
    const at::NoGradGuard no_grad;
    for (int64_t k = 0; k < alpha.size(0); ++k) {
      alpha[k] += kStep;
      const auto above = loss().item<double>();
      alpha[k] -= 2 * kStep;
      const auto below = loss().item<double>();
      alpha[k] += kStep;
      EXPECT_NEAR(gradient[k].item<double>(), (above - below) / (2 * kStep), 1e-7)
          << label << " " << k;
    }
  }
}

TEST(DartsMutator, SharesOneVectorAmongChoicesOfOneLabel) {
  Builder b("net");
  Wire x = b.input("x", {2, 4, 4});
  for (const std::string name : {"a", "b"}) {
    x = b.layer_choice(name, {{"skip", ops::identity()}, {"conv", ops::conv2d({})}}, {x},
                       {.label = "shared"});
  }
  b.output("y", x);
  Network network(b.finish(), 1);
  const DartsMutator mutator(*network, {});
  EXPECT_EQ(mutator.parameters().size(), 1);
  EXPECT_THAT(mutator.alpha("shared").sizes(), ElementsAre(2));
}

TEST(DartsMutator, KeepsTheFirstOfCandidatesThatAreAllNone) {
  Builder b("net");
  const Wire x = b.input("x", {2, 4, 4});
  b.output("y", b.layer_choice("op", {{"none", ops::zero()}, {"void", ops::zero()}}, {x}));
  Network network(b.finish(), 1);
  const DartsMutator mutator(*network, {});
  EXPECT_THAT(mutator.export_architecture().at("op").chosen, ElementsAre(0));
}

TEST(DartsMutator, BlendsAndExportsADepthThatIsAValue) {
  Builder b("deep");
  const auto twice = [](Builder& c, Wire y) { return c.add("twice", ops::add(), {y, y}); };
  b.output("y", b.repeat("r", between("depth", 0, 2), twice, b.input("x", {2})));
  Network network(b.finish(), 1);
  DartsMutator mutator(*network, {.seed = 3});
  {
    const at::NoGradGuard no_grad;
    mutator.alpha("depth").copy_(at::tensor({0.0, std::log(2), std::log(5)}, at::kDouble));
  }
  mutator.reset();
  const at::Tensor x = at::ones({1, 2});  // p = (1, 2, 5) / 8 of x, 2 x, 4 x
  EXPECT_TRUE(at::allclose(network->forward(x), x * 25 / 8));
  EXPECT_THAT(mutator.export_architecture().at("depth").chosen, ElementsAre(2));
}

TEST(DartsMutator, RanksInputsThatOneLabelFeedsByAlphasOfTheirOwn) {
  Builder b("shared");
  std::vector<Wire> edges;
  const Wire x = b.input("x", {2});
  for (const std::string name : {"a", "b"}) {
    edges.push_back(b.layer_choice(name, {{"relu", ops::relu()}, {"skip", ops::identity()}}, {x},
                                   {.label = "op"}));
  }
  b.output("y", b.input_choice("pick", edges));
  Network network(b.finish(), 1);
  DartsMutator mutator(*network, {.seed = 3});
  for (const int64_t strongest : {0, 1}) {
    {
      const at::NoGradGuard no_grad;
      mutator.alpha("pick").zero_()[strongest] = 1;
    }
    EXPECT_THAT(mutator.export_architecture().at("pick").chosen, ElementsAre(strongest));
  }
}

TEST(DartsMutator, RefusesAChoiceOfAnyNumberOfInputs) {
  Network network(every_choice_space(), 1);
  EXPECT_THAT(error_of([&] { DartsMutator(*network, {}); }),
              HasSubstr("alphas blend a fixed number of inputs, but 'second/deep/join'"));
}

}  // namespace
}  // namespace retia
