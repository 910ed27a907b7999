#pragma once

#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>

#include <cstdint>
#include <string>
#include <vector>

#include "retia/kernels/mixed_op/mixed_op.h"

namespace retia::kernels {

/// A shape that the test compares or the benchmark times.
struct MixedOpCase {
  std::string name;
  int64_t n, channels, height, width;  ///< sizes of x
  int64_t stride;
  int64_t n_edges = 1;  ///< number of edges that leave x
};

/// The arguments of mixed_op for a case. gradient: of the result.
struct MixedOpInputs {
  at::Tensor x, blend, gradient;
  std::vector<at::Tensor> weights, running;
  MixedOpOptions options;
};

/// Returns random arguments for a case. branches: MixedBranch values.
inline MixedOpInputs random_inputs(const MixedOpCase& shape, std::vector<int64_t> branches,
                                   at::ScalarType dtype) {
  const int64_t c = shape.channels;
  const int64_t s = shape.stride;
  MixedOpInputs in;
  in.x = at::randn({shape.n, c, shape.height, shape.width}, dtype);
  in.blend = at::rand({static_cast<int64_t>(branches.size())}, dtype) + 0.2;
  in.gradient =
      at::randn({shape.n, c, (shape.height + s - 1) / s, (shape.width + s - 1) / s}, dtype);
  for (const int64_t index : branches) {
    const auto branch = static_cast<MixedBranch>(index);
    for (const BranchStage& stage : row_of(branch)) {
      for (int64_t i = 0; i < stage.n_weights(); ++i) {
        in.weights.push_back(at::randn(stage.weight_sizes(i, c), dtype));
      }
    }
    for (int64_t i = 0; i < n_norms(branch); ++i) {
      in.running.push_back(at::randn({c}, dtype));
      in.running.push_back(at::rand({c}, dtype) + 0.5);
    }
  }
  in.options = {.branches = std::move(branches), .stride = s};
  return in;
}

/// Returns the candidates of DARTS but `none`.
inline std::vector<int64_t> darts_branches(int64_t stride) {
  std::vector<int64_t> branches;
  for (const MixedBranch branch :
       {MixedBranch::MaxPool3, MixedBranch::AveragePool3,
        stride == 1 ? MixedBranch::Identity : MixedBranch::FactorizedReduce, MixedBranch::SepConv3,
        MixedBranch::SepConv5, MixedBranch::DilConv3, MixedBranch::DilConv5}) {
    branches.push_back(static_cast<int64_t>(branch));
  }
  return branches;
}

/// Returns each branch that has this stride, and one of them twice.
inline std::vector<int64_t> each_branch(int64_t stride) {
  std::vector<int64_t> branches;
  for (const BranchRow& row : kMixedBranches) {
    if (row.stride == kAnyStride || row.stride == stride) {
      branches.push_back(static_cast<int64_t>(row.branch));
    }
  }
  branches.push_back(static_cast<int64_t>(MixedBranch::SepConv5));
  return branches;
}

/// Returns edges of search networks of usual sizes, from the first cell to the last, then all edges
/// that leave a node.
inline std::vector<MixedOpCase> mixed_op_cases() {
  return {{.name = "small_first", .n = 16, .channels = 8, .height = 32, .width = 32, .stride = 1},
          {.name = "small_reduce", .n = 16, .channels = 16, .height = 32, .width = 32, .stride = 2},
          {.name = "small_middle", .n = 16, .channels = 16, .height = 16, .width = 16, .stride = 1},
          {.name = "small_last", .n = 16, .channels = 32, .height = 8, .width = 8, .stride = 1},
          {.name = "fashion", .n = 32, .channels = 8, .height = 28, .width = 28, .stride = 1},
          {.name = "paper_first", .n = 64, .channels = 16, .height = 32, .width = 32, .stride = 1},
          {.name = "paper_reduce", .n = 64, .channels = 32, .height = 32, .width = 32, .stride = 2},
          {.name = "paper_last", .n = 64, .channels = 64, .height = 8, .width = 8, .stride = 1},
          {.name = "odd", .n = 16, .channels = 12, .height = 27, .width = 29, .stride = 1},
          {.name = "small_node",
           .n = 16,
           .channels = 8,
           .height = 32,
           .width = 32,
           .stride = 1,
           .n_edges = 4},
          {.name = "paper_node",
           .n = 64,
           .channels = 16,
           .height = 32,
           .width = 32,
           .stride = 1,
           .n_edges = 4}};
}

}  // namespace retia::kernels
