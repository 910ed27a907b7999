#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/randn.h>
#include <gtest/gtest.h>

#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/attention.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/drop.h"
#include "retia/engine/operations/gate.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/layer_norm.h"
#include "retia/engine/operations/linear.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"
#include "retia/tests/engine/operations/operation_checks.h"

namespace retia {
namespace {

constexpr int64_t kBatch = 6;

using Sizes = std::vector<std::vector<int64_t>>;

std::shared_ptr<Layer> layer(const ir::Operation& operation, const Sizes& sizes, uint64_t seed) {
  auto made = operation.kind().make(operation.parameters(), shapes_of(sizes));
  at::Generator generator = at::detail::createCPUGenerator(seed);
  made->initialise(generator);
  made->to(at::kDouble);
  return made;
}

std::vector<at::Tensor> tensors(const Sizes& sizes, uint64_t seed) {
  at::Generator generator = at::detail::createCPUGenerator(seed);
  std::vector<at::Tensor> made;
  for (std::vector<int64_t> one : sizes) {
    one.insert(one.begin(), kBatch);
    made.push_back(at::randn(one, generator, at::kDouble).requires_grad_(true));
  }
  return made;
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return (a - b).abs().max().item<double>();
}

/// `all` holds what the layers call theirs, one after the other.
void copy_rows(Layer& all, const std::vector<std::shared_ptr<Layer>>& layers) {
  const at::NoGradGuard no_grad;
  const auto joined = [&](const auto& tensors_of) {
    for (auto& item : tensors_of(all)) {
      std::vector<at::Tensor> rows;
      for (const auto& one : layers) {
        rows.push_back(tensors_of(*one)[item.key()]);
      }
      item.value().copy_(at::cat(rows));
    }
  };
  joined([](Layer& of) { return of.named_parameters(); });
  joined([](Layer& of) { return of.named_buffers(); });
}

/// Expects of the operation that does the work of three: their results, their gradients (by the
/// sum of squares) and their buffers.
void expect_does_the_work_of_three(const ir::Operation& one, const Sizes& sizes, bool same_input) {
  constexpr int64_t kCount = 3;
  const auto wide =
      same_input ? one.widened(shapes_of(sizes), kCount) : one.stacked(shapes_of(sizes), kCount);
  ASSERT_TRUE(wide.has_value()) << one.type();
  std::vector<std::shared_ptr<Layer>> layers;
  std::vector<std::vector<at::Tensor>> inputs;
  Sizes joined_sizes = sizes;
  for (std::vector<int64_t>& joined : joined_sizes) {
    joined.front() *= same_input ? 1 : kCount;
  }
  for (uint64_t k = 0; k < kCount; ++k) {
    layers.push_back(layer(one, sizes, k + 1));
    inputs.push_back(tensors(sizes, same_input ? 7 : 7 + k));
  }
  std::vector<at::Tensor> joined_inputs;
  for (size_t j = 0; j < sizes.size(); ++j) {
    joined_inputs.push_back(
        same_input
            ? inputs[0][j].detach().clone()
            : at::cat({inputs[0][j].detach(), inputs[1][j].detach(), inputs[2][j].detach()}, 1));
    joined_inputs.back().requires_grad_(true);
  }
  const auto all = layer(*wide, joined_sizes, 0);
  copy_rows(*all, layers);
  std::vector<at::Tensor> expected;
  for (size_t k = 0; k < kCount; ++k) {
    expected.push_back(layers[k]->forward(inputs[k]));
    if (expected.back().requires_grad()) {
      expected.back().square().sum().backward();
    }
  }
  const at::Tensor found = all->forward(joined_inputs);
  EXPECT_LE(difference(found, at::cat(expected, 1)), 1e-12) << one.type();
  if (found.requires_grad()) {
    found.square().sum().backward();
    for (size_t j = 0; j < sizes.size(); ++j) {
      const std::vector<at::Tensor> theirs = {inputs[0][j].grad(), inputs[1][j].grad(),
                                              inputs[2][j].grad()};
      EXPECT_LE(difference(joined_inputs[j].grad(),
                           same_input ? theirs[0] + theirs[1] + theirs[2] : at::cat(theirs, 1)),
                1e-11)
          << one.type();
    }
  }
  for (const auto& item : all->named_parameters()) {
    std::vector<at::Tensor> theirs;
    for (const auto& each : layers) {
      theirs.push_back(each->named_parameters()[item.key()].grad());
    }
    EXPECT_LE(difference(item.value().grad(), at::cat(theirs)), 1e-11) << one.type();
  }
  for (const auto& item : all->named_buffers()) {
    std::vector<at::Tensor> theirs;
    for (const auto& each : layers) {
      theirs.push_back(each->named_buffers()[item.key()]);
    }
    EXPECT_LE(difference(item.value(), at::cat(theirs)), 1e-14) << one.type();
  }
}

TEST(Stacked, ConvolutionsBecomeGroups) {
  for (const ir::Operation& one :
       {ops::conv2d({.out = 4, .kernel = 3}), ops::conv2d({.out = 2, .kernel = 1, .bias = true}),
        ops::conv2d({.kernel = 3, .stride = 2}), ops::conv2d({.out = 6, .groups = 2}),
        ops::conv2d({.kernel = 5, .dilation = 2, .depthwise = true}),
        ops::conv2d({.out = 8, .depthwise = true}), ops::conv2d({.out = 3, .padding = 0})}) {
    expect_does_the_work_of_three(one, {{4, 7, 6}}, false);
  }
}

TEST(Stacked, LinearLayersBecomeABatchedProduct) {
  expect_does_the_work_of_three(ops::linear({.out = 5}), {{7}}, false);
  expect_does_the_work_of_three(ops::linear({.out = 1, .bias = false}), {{7}}, false);
}

TEST(Stacked, NormalisationsKeepTheStatisticsOfEach) {
  expect_does_the_work_of_three(ops::batch_norm(), {{4, 5, 5}}, false);
  expect_does_the_work_of_three(ops::batch_norm({.affine = false, .momentum = 0.3}), {{4}}, false);
}

TEST(Stacked, WhatTreatsChannelsOneByOneStaysAsItIs) {
  for (const ir::Operation& one :
       {ops::relu(), ops::relu6(), ops::silu(), ops::tanh(), ops::sigmoid(), ops::identity(),
        ops::max_pool2d(), ops::avg_pool2d({.stride = 2}), ops::global_mean(), ops::shift(),
        ops::flatten(), ops::zero({.stride = 2})}) {
    expect_does_the_work_of_three(one, {{3, 6, 5}}, false);
  }
  expect_does_the_work_of_three(ops::add(), {{3, 4, 4}, {3, 4, 4}}, false);
  expect_does_the_work_of_three(ops::mean(), {{3, 4, 4}, {3, 4, 4}, {3, 4, 4}}, false);
  expect_does_the_work_of_three(ops::scale(), {{3, 4, 4}, {3}}, false);
}

TEST(Widened, ReadersOfOneInputBecomeOneWideLayer) {
  expect_does_the_work_of_three(ops::conv2d({.out = 5, .bias = true}), {{3, 6, 6}}, true);
  expect_does_the_work_of_three(ops::conv2d({.kernel = 1, .stride = 2}), {{3, 6, 6}}, true);
  expect_does_the_work_of_three(ops::linear({.out = 4}), {{6}}, true);
}

TEST(Stacked, WhatMixesChannelsIsLeftAlone) {
  const std::vector<Shape> image = shapes_of({{4, 6, 6}});
  for (const ir::Operation& one :
       {ops::shuffle(), ops::layer_norm(), ops::attention(), ops::concat(), ops::split(),
        ops::drop_path(), ops::fading_dropout(), ops::nothing_chosen({.shape = {2}})}) {
    EXPECT_FALSE(one.stacked(image, 2).has_value()) << one.type();
    EXPECT_FALSE(one.widened(image, 2).has_value()) << one.type();
  }
  EXPECT_FALSE(ops::conv2d({.depthwise = true}).widened(image, 2).has_value());
  EXPECT_FALSE(ops::conv2d({.groups = 2}).widened(image, 2).has_value());
  EXPECT_FALSE(ops::batch_norm().widened(image, 2).has_value());
}

}  // namespace
}  // namespace retia
