#include <gtest/gtest.h>
#include <torch/torch.h>

#include <functional>
#include <vector>

#include "retia/kernels/mixed_op/mixed_op.h"
#include "retia/kernels/mixed_op/mixed_op_cases.h"
#include "retia/tests/kernels/on_ranks.h"
#include "retia/tests/kernels/on_threads.h"
#include "retia/tests/kernels/results.h"

namespace retia::kernels {
namespace {

/// Edges that leave one node, of different branches; two of them are added to something.
struct Node {
  MixedOpInputs in;
  std::vector<at::Tensor> sums, gradients;
};

Node random_node(const MixedOpCase& shape, at::ScalarType dtype) {
  std::vector<int64_t> branches = darts_branches(shape.stride);
  const std::vector<int64_t> more = each_branch(shape.stride);
  branches.insert(branches.end(), more.begin(), more.end());
  for (const MixedBranch last :
       {MixedBranch::DilConv5, MixedBranch::AveragePool3, MixedBranch::AveragePool3}) {
    branches.push_back(static_cast<int64_t>(last));
  }
  Node made{random_inputs(shape, branches, dtype), {}, {}};
  made.in.options.edges = {7, 8, 3};
  made.in.options.summed = {2, 0};
  const auto like_a_result = [&] { return at::randn_like(made.in.gradient); };
  made.sums = {like_a_result(), like_a_result()};
  made.gradients = {like_a_result(), like_a_result(), like_a_result()};
  return made;
}

/// Results of all edges side by side; gradients of x, blend, weights and what was added to; running
/// statistics.
Results all_results(decltype(&mixed_ops) function, const Node& node, at::ScalarType dtype) {
  std::vector<at::Tensor> leaves;
  const auto leaf = [&](const at::Tensor& t) {
    return leaves.emplace_back(t.detach().to(dtype).clone().requires_grad_());
  };
  const at::Tensor x = leaf(node.in.x);
  const at::Tensor blend = leaf(node.in.blend);
  std::vector<at::Tensor> weights, sums, running, gradients;
  for (const at::Tensor& weight : node.in.weights) {
    weights.push_back(leaf(weight));
  }
  for (const at::Tensor& sum : node.sums) {
    sums.push_back(leaf(sum));
  }
  for (const at::Tensor& statistic : node.in.running) {
    running.push_back(statistic.to(dtype).clone());
  }
  for (const at::Tensor& gradient : node.gradients) {
    gradients.push_back(gradient.to(dtype));
  }
  const at::Tensor out = at::cat(function(x, blend, weights, running, sums, node.in.options), 1);
  return results_of(out, leaves, at::cat(gradients, 1), running);
}

double tolerance(at::ScalarType dtype) { return dtype == at::kDouble ? 1e-11 : 3e-5; }

TEST(MixedOps, EqualTheReferenceEdgeByEdge) {
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat}) {
    for (const int64_t stride : {1, 2}) {
      for (const MixedOpCase& shape :
           std::vector<MixedOpCase>{{"square", 2, 8, 8, 8, stride},
                                    {"wide_vectors", 3, 16, 6, 10, stride},
                                    {"odd", 3, 5, 7, 13, stride},
                                    {"two_pixels", 2, 3, 1, 2, stride},
                                    {"many_images", 35, 4, 4, 3, stride}}) {
        torch::manual_seed(1);
        SCOPED_TRACE(c10::str(shape.name, " stride ", stride, " ", dtype));
        const Node node = random_node(shape, dtype);
        expect_near(all_results(&mixed_ops, node, dtype),
                    all_results(&reference::mixed_ops, node, at::kDouble), tolerance(dtype));
      }
    }
  }
}

TEST(MixedOps, NormaliseThePoolsOfEachEdgeByItsRunningStatisticsInEvaluation) {
  torch::manual_seed(2);
  Node node = random_node({"evaluation", 2, 6, 5, 8, 1}, at::kDouble);
  node.in.options.training = false;
  expect_near(all_results(&mixed_ops, node, at::kDouble),
              all_results(&reference::mixed_ops, node, at::kDouble), tolerance(at::kDouble));
}

TEST(MixedOps, OfOneEdgeAreMixedOp) {
  torch::manual_seed(3);
  const MixedOpInputs in = random_inputs({"one", 3, 6, 5, 8, 1}, each_branch(1), at::kFloat);
  const auto many = mixed_ops(in.x, in.blend, in.weights, in.running, {}, in.options);
  ASSERT_EQ(many.size(), 1);
  EXPECT_TRUE(at::equal(many[0], mixed_op(in.x, in.blend, in.weights, in.running, in.options)));
}

TEST(MixedOps, ReadSumsAndGradientsOfAnyStrides) {
  torch::manual_seed(4);
  const Node node = random_node({"strided", 2, 6, 5, 8, 1}, at::kDouble);
  Node strided = node;
  for (auto* const tensors : {&strided.sums, &strided.gradients}) {
    for (at::Tensor& tensor : *tensors) {
      tensor = tensor.transpose(0, 3).contiguous().transpose(0, 3);
    }
  }
  expect_near(all_results(&mixed_ops, strided, at::kDouble),
              all_results(&reference::mixed_ops, node, at::kDouble), tolerance(at::kDouble));
}

TEST(MixedOps, HaveNoGradientFromResultsThatNobodyReads) {
  torch::manual_seed(5);
  const Node node = random_node({"unread", 2, 6, 5, 8, 1}, at::kDouble);
  const at::Tensor x = node.in.x.clone().requires_grad_();
  const auto gradient_by = [&](decltype(&mixed_ops) function) {
    const auto made = function(x, node.in.blend, node.in.weights, {}, node.sums, node.in.options);
    return torch::autograd::grad({made[1]}, {x}, {node.gradients[1]});
  };
  expect_near(gradient_by(&mixed_ops), gradient_by(&reference::mixed_ops), tolerance(at::kDouble));
}

TEST(MixedOps, GiveTheSameBitsOnAnyNumberOfThreads) {
  for (const int64_t n : {1, 3, 21}) {
    for (const int64_t stride : {1, 2}) {
      torch::manual_seed(6);
      SCOPED_TRACE(c10::str(n, " images, stride ", stride));
      const Node node = random_node({"threads", n, 6, 9, 10, stride}, at::kFloat);
      expect_same_bits_on_any_threads([&] { return all_results(&mixed_ops, node, at::kFloat); });
    }
  }
}

TEST(MixedOps, AskRanksAsSeldomAsOneEdge) {
  for (const int64_t stride : {1, 2}) {
    torch::manual_seed(7);
    Node whole = random_node({"ranks", 6, 5, 7, 8, stride}, at::kDouble);
    whole.sums.clear();
    whole.in.options.summed.clear();
    expect_near(results_on_ranks(2, whole.in.running.size(), 4,
                                 [&](int64_t rank, SumOverRanks& ranks) {
                                   Node part = whole;
                                   part.in.x = share_of(whole.in.x, rank, 2);
                                   part.in.options.ranks = &ranks;
                                   for (at::Tensor& gradient : part.gradients) {
                                     gradient = share_of(gradient, rank, 2);
                                   }
                                   return all_results(&mixed_ops, part, at::kDouble);
                                 }),
                all_results(&reference::mixed_ops, whole, at::kDouble), tolerance(at::kDouble));
  }
}

TEST(MixedOps, RefuseEdgesAndSumsThatDoNotFit) {
  torch::manual_seed(8);
  const Node node = random_node({"wrong", 2, 4, 5, 6, 1}, at::kFloat);
  const auto run = [](const Node& given) {
    mixed_ops(given.in.x, given.in.blend, given.in.weights, given.in.running, given.sums,
              given.in.options);
  };
  const auto refuses = [&](const std::function<void(Node&)>& spoil) {
    Node given = node;
    spoil(given);
    EXPECT_THROW(run(given), c10::Error);
  };
  EXPECT_NO_THROW(run(node));
  refuses([](Node& given) { given.in.options.edges = {7, 8, 2}; });
  refuses([](Node& given) { given.in.options.edges = {7, 11, 0}; });
  refuses([](Node& given) { given.in.options.edges = {}; });
  refuses([](Node& given) { given.in.options.summed = {0, 3}; });
  refuses([](Node& given) { given.in.options.summed = {0, 0}; });
  refuses([](Node& given) { given.sums.pop_back(); });
  refuses([](Node& given) { given.sums[0] = given.sums[0].slice(0, 1); });
  refuses([](Node& given) { given.sums[1] = given.sums[1].to(at::kDouble); });
}

}  // namespace
}  // namespace retia::kernels
