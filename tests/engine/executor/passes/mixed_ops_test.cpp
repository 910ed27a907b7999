#include "retia/engine/executor/passes/mixed_ops.h"

#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <ATen/ops/softmax.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/function.h>

#include <map>
#include <set>

#include "retia/engine/base/random.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/mutables/mutator.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/darts_cnn.h"
#include "retia/models/ops/conv_bn.h"
#include "retia/models/ops/dil_conv.h"
#include "retia/models/ops/pool_bn.h"
#include "retia/models/ops/sep_conv.h"
#include "retia/tests/engine/executor/fused_results.h"

namespace retia::executor {
namespace {

/// Blends `chosen` of each layer choice (empty: all), and sums all inputs of each input choice,
/// those of the label `weighed` by weights.
class Blend final : public Mutator {
 public:
  Blend(const torch::nn::Module& model, std::vector<int64_t> chosen,
        const std::string& weighed = "")
      : Mutator(model), chosen_(std::move(chosen)) {
    for (const Mutable& choice : mutables()) {
      if (choice.label == weighed) {
        alphas_[choice.label] =
            register_parameter("alpha_of_inputs", at::randn({choice.n_candidates()}, at::kDouble));
      }
      if (choice.kind == MutableKind::LayerChoice) {
        const auto n =
            chosen_.empty() ? choice.n_candidates() : static_cast<int64_t>(chosen_.size());
        alphas_[choice.label] = register_parameter("alpha" + std::to_string(alphas_.size()),
                                                   at::randn({n}, at::kDouble));
      }
    }
    reset();
  }

  Architecture sample_search() override {
    Architecture architecture;
    for (const Mutable& choice : mutables()) {
      Decision& decision = architecture[choice.label];
      if (choice.kind == MutableKind::LayerChoice && !chosen_.empty()) {
        decision.chosen = chosen_;
        continue;
      }
      for (int64_t i = 0; i < choice.n_candidates(); ++i) {
        decision.chosen.push_back(i);
      }
    }
    return architecture;
  }
  Architecture sample_final() const override { return current(); }
  at::Tensor weights(const Mutable& choice) const override {
    const auto found = alphas_.find(choice.label);
    return found == alphas_.end() ? at::Tensor() : at::softmax(found->second, 0);
  }

 private:
  std::vector<int64_t> chosen_;
  std::map<std::string, at::Tensor> alphas_;
};

/// Blends `chosen` of each layer choice; empty: all.
Results results(const ir::Graph& space, Executor executor, std::vector<int64_t> chosen = {},
                Mode mode = Mode::Training, int64_t batch = 3) {
  return results_of<Blend>(space, executor, mode, batch, std::move(chosen));
}

ir::Graph darts_space(const DartsCnnOptions& options, int64_t height, int64_t width) {
  return darts_cnn(options, {{2, height, width}, 3});
}

/// Some candidates that the fused operation knows and some that it does not.
ir::Graph mixed_space() {
  Builder net("mixed");
  const Wire image = net.input("image", {4, 6, 7});
  const Wire body = net.layer_choice(
      "body",
      {{"plain", ops::conv2d({.kernel = 3})},
       {"sep", ops::sep_conv({.kernel = 3, .affine = false})},
       {"affine", ops::dil_conv({.kernel = 3})},
       {"none", ops::zero()},
       {"wide", ops::dil_conv({.kernel = 5, .dilation = 1, .affine = false})},
       {"pool", ops::pool_bn({.pooling = Pooling::Max, .affine = false})},
       {"large_pool", ops::pool_bn({.pooling = Pooling::Max, .kernel = 5, .affine = false})},
       {"dil", ops::dil_conv({.kernel = 5, .affine = false})},
       {"skip", ops::identity()}},
      {image});
  net.output("out", net.add("last", ops::conv_bn({.out = 3, .kernel = 1}), {body}));
  return net.finish();
}

/// Edges that leave one node and join others in several ways: two with one node, one twice, one
/// with none, one that normalises in another way; in one sum stands also what is no edge.
ir::Graph joined_space() {
  Builder net("joined");
  const Wire image = net.input("image", {4, 6, 7});
  const auto edge = [&](const std::string& name, Wire x) {
    return net.layer_choice(
        name,
        {{"pool", ops::pool_bn({.pooling = Pooling::Max, .affine = false})},
         {"average", ops::pool_bn({.pooling = Pooling::Average, .affine = false})},
         {"plain", ops::conv2d({.kernel = 3})},
         {"dil", ops::dil_conv({.kernel = 3, .affine = false})},
         {"skip", ops::identity()}},
        {x});
  };
  const Wire first = net.add("first", ops::add(), {edge("a", image), edge("b", image), image});
  const Wire second =
      net.input_choice("second", {edge("c", image), edge("d", first)}, {.n_chosen = 2});
  const Wire twice = edge("e", first);
  const Wire third = net.add("third", ops::add(), {twice, twice, second});
  const Wire fourth = net.input_choice("fourth", {edge("f", image), edge("g", first), third},
                                       {.n_chosen = 3, .reduction = Reduction::Mean});
  const auto pool = [](Builder& b, Wire x) {
    return b.add("bn", ops::batch_norm({.affine = false, .epsilon = 0.1}),
                 {b.add("pool", ops::max_pool2d({.kernel = 3, .padding = 1}), {x})});
  };
  const Wire other = net.layer_choice("i", {{"pool", pool}, {"skip", ops::identity()}}, {image});
  const Wire all = net.add("all", ops::concat(), {second, third, fourth, edge("h", image), other});
  net.output("out", net.add("last", ops::conv_bn({.out = 3, .kernel = 1}), {all}));
  return net.finish();
}

/// Counts by name the nodes of a backward pass.
std::map<std::string, int64_t> backward_nodes(const at::Tensor& out) {
  std::map<std::string, int64_t> found;
  std::set<torch::autograd::Node*> seen;
  std::vector<torch::autograd::Node*> next = {out.grad_fn().get()};
  while (!next.empty()) {
    torch::autograd::Node* const node = next.back();
    next.pop_back();
    if (node != nullptr && seen.insert(node).second) {
      const std::string name = node->name();
      ++found[name.find("MixedOps") != std::string::npos ? "MixedOps" : name];
      for (const torch::autograd::Edge& edge : node->next_edges()) {
        next.push_back(edge.function.get());
      }
    }
  }
  return found;
}

TEST(FuseMixedOps, EqualsTheReferenceOnRandomNetsOfTheDartsFamily) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const auto up_to = [&](int64_t n) { return 1 + random.below(n); };
    const DartsCnnOptions options = {
        .channels = up_to(6), .layers = up_to(3), .nodes = up_to(2), .partial_channels = 1};
    const ir::Graph space = darts_space(options, 3 + up_to(5), 3 + up_to(5));
    expect_same(results(space, Executor::Fused), results(space, Executor::Reference));
  }
}

TEST(FuseMixedOps, FusesTheCandidatesOfDarts) {
  const ir::Graph space = darts_space({.channels = 4, .layers = 2, .nodes = 1}, 8, 8);
  const Results fused = results(space, Executor::Fused);
  const Results reference = results(space, Executor::Reference);
  EXPECT_FALSE(at::equal(fused.gradients.back(), reference.gradients.back()))
      << "the same to the last bit: nothing was fused";
}

TEST(FuseMixedOps, RunsAllEdgesThatLeaveANodeAtOnceAndSumsNodesOnTheWay) {
  Network network(darts_space({.channels = 4, .layers = 1, .nodes = 3}, 8, 8), 3);
  Blend mutator(*network, {});
  network->to(at::kDouble);
  auto found = backward_nodes(network->forward(at::randn({2, 2, 8, 8}, at::kDouble)));
  EXPECT_EQ(found["MixedOps"], 4) << "of both inputs and of the first two nodes";
  EXPECT_EQ(found["AddBackward0"], 0);
}

TEST(FuseMixedOps, JoinsEdgesAndNodesInAnyWay) {
  for (const Mode mode : {Mode::Training, Mode::Evaluation}) {
    expect_same(results(joined_space(), Executor::Fused, {}, mode),
                results(joined_space(), Executor::Reference, {}, mode));
  }
  expect_same(results(joined_space(), Executor::Fused, {0, 1}),
              results(joined_space(), Executor::Reference, {0, 1}));
}

TEST(FuseMixedOps, LeavesSumsThatWeighTheirInputs) {
  for (const std::string weighed : {"second", "fourth"}) {
    const auto run = [&](Executor executor) {
      return results_of<Blend>(joined_space(), executor, Mode::Training, 3, std::vector<int64_t>{},
                               weighed);
    };
    expect_same(run(Executor::Fused), run(Executor::Reference));
  }
}

TEST(FuseMixedOps, RunsLayerByLayerWhereTheWeightsHaveAnotherDtype) {
  const auto run = [](const std::vector<Pass>& passes, at::ScalarType weights) {
    Network network(joined_space(), 3);
    network->set_passes(passes);
    at::manual_seed(3);
    Blend mutator(*network, {});
    mutator.to(weights);
    return network->forward(at::randn({2, 4, 6, 7}));
  };
  const std::vector<Pass> fuse = {{"fuse_mixed_ops", fuse_mixed_ops}};
  EXPECT_GT(backward_nodes(run(fuse, at::kFloat))["MixedOps"], 0);
  const at::Tensor fallback = run(fuse, at::kDouble);
  EXPECT_EQ(backward_nodes(fallback)["MixedOps"], 0);
  const at::Tensor reference = run({}, at::kDouble);
  EXPECT_LE((fallback - reference).abs().max().item<double>(), 1e-5);
}

TEST(FuseMixedOps, RunsPartialChannels) {
  const ir::Graph space =
      darts_space({.channels = 8, .layers = 2, .nodes = 1, .partial_channels = 4}, 8, 8);
  expect_same(results(space, Executor::Fused), results(space, Executor::Reference));
}

TEST(FuseMixedOps, LeavesUnknownCandidatesAsTheyAre) {
  expect_same(results(mixed_space(), Executor::Fused), results(mixed_space(), Executor::Reference));
}

TEST(FuseMixedOps, BlendsOnlyWhatIsChosen) {
  for (const std::vector<int64_t>& chosen :
       std::vector<std::vector<int64_t>>{{1, 5}, {0, 1, 7}, {3, 5, 8}, {2, 4}, {8}, {0, 3}}) {
    expect_same(results(mixed_space(), Executor::Fused, chosen),
                results(mixed_space(), Executor::Reference, chosen));
  }
}

TEST(FuseMixedOps, NormalisesByRunningStatisticsInEvaluation) {
  expect_same(results(mixed_space(), Executor::Fused, {}, Mode::Evaluation),
              results(mixed_space(), Executor::Reference, {}, Mode::Evaluation));
}

TEST(FuseMixedOps, KeepsStatisticsWhereTheyAreToBeKept) {
  const Results fused = results(mixed_space(), Executor::Fused, {}, Mode::Quiet);
  const Results reference = results(mixed_space(), Executor::Reference, {}, Mode::Quiet);
  expect_same(fused, reference);
  for (size_t i = 0; i < fused.statistics.size(); ++i) {
    EXPECT_TRUE(at::equal(fused.statistics[i], reference.statistics[i]));
  }
}

}  // namespace
}  // namespace retia::executor
