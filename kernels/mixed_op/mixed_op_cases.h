#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/mixed_op/mixed_op.h"

namespace retia::kernels {

/// A shape that the test compares or the benchmark times.
struct MixedOpCase {
  std::string name;
  int64_t n, channels, height, width, stride;
};

/// The eight candidates of DARTS without `none`.
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

/// Edges of search networks of usual sizes, from first cells to last.
inline std::vector<MixedOpCase> mixed_op_cases() {
  return {{.name = "small_first", .n = 16, .channels = 8, .height = 32, .width = 32, .stride = 1},
          {.name = "small_reduce", .n = 16, .channels = 16, .height = 32, .width = 32, .stride = 2},
          {.name = "small_middle", .n = 16, .channels = 16, .height = 16, .width = 16, .stride = 1},
          {.name = "small_last", .n = 16, .channels = 32, .height = 8, .width = 8, .stride = 1},
          {.name = "fashion", .n = 32, .channels = 8, .height = 28, .width = 28, .stride = 1},
          {.name = "paper_first", .n = 64, .channels = 16, .height = 32, .width = 32, .stride = 1},
          {.name = "paper_reduce", .n = 64, .channels = 32, .height = 32, .width = 32, .stride = 2},
          {.name = "paper_last", .n = 64, .channels = 64, .height = 8, .width = 8, .stride = 1},
          {.name = "odd", .n = 16, .channels = 12, .height = 27, .width = 29, .stride = 1}};
}

}  // namespace retia::kernels
