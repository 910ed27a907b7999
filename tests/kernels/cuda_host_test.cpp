#include "retia/kernels/cuda_host.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

#include "retia/kernels/cuda_launch.h"

namespace retia::kernels::cuda {
namespace {

__global__ void count_visits(int* visits) {
  const unsigned block = (blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x;
  const unsigned thread = (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  atomicAdd(visits + block * blockDim.x * blockDim.y * blockDim.z + thread, 1);
}

/// Reverses each block's numbers; wrong where a thread reads before its partner has written.
template <bool kWaits>
__global__ void reverse(const float* from, float* to) {
  auto* const shared = dynamic_shared<float>();
  const unsigned first = blockIdx.x * blockDim.x;
  shared[threadIdx.x] = from[first + threadIdx.x];
  if (kWaits) {
    __syncthreads();
  }
  to[first + threadIdx.x] = shared[blockDim.x - 1 - threadIdx.x];
}

/// Moves the block's numbers round by one place, `turns` times; without the second barrier a thread
/// that runs ahead overwrites what its neighbour still has to read.
template <bool kWaitsTwice>
__global__ void rotate(float* values, int turns) {
  auto* const shared = dynamic_shared<float>();
  float own = values[threadIdx.x];
  for (int i = 0; i < turns; ++i) {
    shared[threadIdx.x] = own;
    __syncthreads();
    own = shared[(threadIdx.x + 1) % blockDim.x];
    if (kWaitsTwice) {
      __syncthreads();
    }
  }
  values[threadIdx.x] = own;
}

__global__ void sum_warps(const double* from, double* by_xor, double* by_down) {
  double all = from[threadIdx.x];
  double first = all;
  for (int bits = host::kLanes / 2; bits > 0; bits /= 2) {
    all += __shfl_xor_sync(0xffffffffU, all, bits);
    first += __shfl_down_sync(0xffffffffU, first, bits);
  }
  by_xor[threadIdx.x] = all;
  by_down[threadIdx.x] = first;
}

__global__ void wait_in_half_of_the_block() {
  if (threadIdx.x < blockDim.x / 2) {
    __syncthreads();
  }
}

__global__ void read_unset(float* to) { to[threadIdx.x] = dynamic_shared<float>()[threadIdx.x]; }

[[maybe_unused]] __global__ void write_beyond() { dynamic_shared<float>()[blockDim.x] = 1; }

std::vector<float> counted(size_t n) {
  std::vector<float> values(n);
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

template <bool kWaits>
bool reverses() {
  const std::vector<float> from = counted(128);
  std::vector<float> to(from.size());
  launch(&reverse<kWaits>, 2, 64, 64 * sizeof(float), nullptr, from.data(), to.data());
  for (size_t i = 0; i < from.size(); ++i) {
    if (to[i] != from[i / 64 * 64 + 63 - i % 64]) {
      return false;
    }
  }
  return true;
}

template <bool kWaitsTwice>
bool rotates() {
  std::vector<float> values = counted(48);
  launch(&rotate<kWaitsTwice>, 1, 48, 48 * sizeof(float), nullptr, values.data(), 3);
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] != static_cast<float>((i + 3) % 48)) {
      return false;
    }
  }
  return true;
}

TEST(CudaHost, RunsEveryThreadOfEveryBlockOnce) {
  std::vector<int> visits(size_t{3} * 2 * 2 * 8 * 4 * 2);
  launch(&count_visits, {3, 2, 2}, {8, 4, 2}, 0, nullptr, visits.data());
  EXPECT_EQ(visits, std::vector<int>(visits.size(), 1));
}

TEST(CudaHost, KeepsThreadsTogetherAtBarriers) {
  EXPECT_TRUE(reverses<true>());
  EXPECT_TRUE(rotates<true>());
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const host::ShuffledThreads shuffled(seed);
    EXPECT_TRUE(reverses<true>());
    EXPECT_TRUE(rotates<true>());
  }
}

TEST(CudaHost, ShowsAMissingBarrier) {
  EXPECT_FALSE(reverses<false>());
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const host::ShuffledThreads shuffled(seed);
    EXPECT_FALSE(reverses<false>());
    EXPECT_FALSE(rotates<false>());
  }
}

TEST(CudaHost, ShufflesWithinEachWarp) {
  std::vector<double> from(64), by_xor(64), by_down(64);
  std::iota(from.begin(), from.end(), 1.0);
  launch(&sum_warps, 1, 64, 0, nullptr, from.data(), by_xor.data(), by_down.data());
  for (size_t i = 0; i < 64; ++i) {
    EXPECT_EQ(by_xor[i], i < 32 ? 528 : 1552);
  }
  EXPECT_EQ(by_down[0], 528);
  EXPECT_EQ(by_down[32], 1552);
}

TEST(CudaHost, RefusesABarrierThatNotAllThreadsReach) {
  EXPECT_THROW(launch(&wait_in_half_of_the_block, 1, 64, 0, nullptr), std::logic_error);
}

TEST(CudaHost, RefusesAShuffleInAWarpThatIsNotWhole) {
  std::vector<double> values(40);
  EXPECT_THROW(launch(&sum_warps, 1, 40, 0, nullptr, values.data(), values.data(), values.data()),
               std::out_of_range);
}

TEST(CudaHost, SharedMemoryIsNotANumberUntilSet) {
  std::vector<float> to(8);
  launch(&read_unset, 1, 8, 8 * sizeof(float), nullptr, to.data());
  for (const float value : to) {
    EXPECT_TRUE(std::isnan(value));
  }
}

#ifdef __SANITIZE_ADDRESS__
TEST(CudaHost, SanitizersSeeWritesBeyondSharedMemory) {
  EXPECT_DEATH(launch(&write_beyond, 1, 8, 8 * sizeof(float), nullptr), "heap-buffer-overflow");
}
#endif

}  // namespace
}  // namespace retia::kernels::cuda
