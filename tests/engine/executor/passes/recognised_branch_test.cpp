#include "retia/engine/executor/passes/recognised_branch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/executor/network.h"
#include "retia/engine/ir/builder.h"
#include "retia/engine/operations/activation.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/join.h"
#include "retia/engine/operations/pool.h"
#include "retia/engine/operations/reshape.h"
#include "retia/models/ops/dil_conv.h"
#include "retia/models/ops/factorized_reduce.h"
#include "retia/models/ops/pool_bn.h"
#include "retia/models/ops/sep_conv.h"

namespace retia::executor {
namespace {

using Kind = kernels::MixedBranch;

/// Recognises the branch of an operation on an image of `channels` channels.
RecognisedBranch recognised(const ir::Operation& operation, int64_t channels = 4) {
  Builder b("net");
  b.output("y", b.add("op", operation, {b.input("x", {channels, 8, 8})}));
  Network network(b.finish(), 1);
  network->set_executor(Executor::Reference);
  return recognise_branch(network->program());
}

void expect_known(const ir::Operation& operation, Kind branch, int64_t stride = 1) {
  const auto found = recognised(operation);
  SCOPED_TRACE(static_cast<int64_t>(branch));
  EXPECT_EQ(found.reason, "");
  EXPECT_EQ(found.branch, branch);
  EXPECT_EQ(found.stride, stride);
  EXPECT_EQ(static_cast<int64_t>(found.weights.size()), kernels::n_weights(branch));
  EXPECT_EQ(static_cast<int64_t>(found.norms.size()), kernels::n_norms(branch));
}

void expect_unknown(const ir::Operation& operation) {
  EXPECT_EQ(recognised(operation).reason, "mixed_op has no such branch");
}

TEST(RecognisedBranch, KnowsTheCandidatesOfDarts) {
  expect_known(ops::identity(), Kind::Identity);
  expect_known(ops::factorized_reduce({.affine = false}), Kind::FactorizedReduce, 2);
  for (const int64_t stride : {1, 2}) {
    expect_known(ops::pool_bn({.pooling = Pooling::Max, .stride = stride, .affine = false}),
                 Kind::MaxPool3, stride);
    expect_known(ops::pool_bn({.pooling = Pooling::Average, .stride = stride, .affine = false}),
                 Kind::AveragePool3, stride);
    expect_known(ops::sep_conv({.kernel = 3, .stride = stride, .affine = false}), Kind::SepConv3,
                 stride);
    expect_known(ops::sep_conv({.kernel = 5, .stride = stride, .affine = false}), Kind::SepConv5,
                 stride);
    expect_known(ops::dil_conv({.kernel = 3, .stride = stride, .affine = false}), Kind::DilConv3,
                 stride);
    expect_known(ops::dil_conv({.kernel = 5, .stride = stride, .affine = false}), Kind::DilConv5,
                 stride);
  }
}

TEST(RecognisedBranch, TakesTheWeightsInTheOrderOfTheOperation) {
  const auto found = recognised(ops::sep_conv({.kernel = 3, .affine = false}));
  ASSERT_EQ(found.weights.size(), 4u);
  EXPECT_EQ(found.weights[0].sizes(), at::IntArrayRef({4, 1, 3, 3}));
  EXPECT_EQ(found.weights[1].sizes(), at::IntArrayRef({4, 4, 1, 1}));
}

TEST(RecognisedBranch, TellsWhyACandidateIsNone) {
  EXPECT_EQ(recognised(ops::sep_conv({.kernel = 3})).reason,
            "its normalisation is scaled and shifted");
  expect_unknown(ops::sep_conv({.kernel = 7, .affine = false}));
  expect_unknown(ops::dil_conv({.kernel = 3, .dilation = 1, .affine = false}));
  expect_unknown(ops::dil_conv({.kernel = 3, .stride = 4, .affine = false}));
  expect_unknown(ops::pool_bn({.pooling = Pooling::Max, .kernel = 5, .affine = false}));
  expect_unknown(ops::conv2d({.kernel = 3}));
  expect_unknown(ops::max_pool2d());
  expect_unknown(ops::relu());
  expect_unknown(ops::factorized_reduce({.out = 6, .affine = false}));
}

}  // namespace
}  // namespace retia::executor
