#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <type_traits>

/// Runs CUDA kernels on the host, for tests and sanitizers: blocks run one after another, and each
/// thread of a block is a fibre that runs until it waits at a barrier. Everything happens in one
/// host thread, in the same order each time. Races within a warp between two barriers do not show,
/// nor does speed.

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __shared__ static

struct CUstream_st;

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

inline dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace retia::kernels::cuda::host {

constexpr int kLanes = 32;

/// Runs `kernel` once for each thread of each block. shared_bytes: size of a block's dynamic shared
/// memory. Throws std::logic_error if some threads of a block wait at a barrier that others never
/// reach; passes on the exception of a thread.
void run_grid(const std::function<void()>& kernel, dim3 blocks, dim3 threads, size_t shared_bytes);

/// Returns the dynamic shared memory of the running block, all of whose bits are ones, NaN in every
/// floating-point type, when the block begins.
void* dynamic_shared();

/// Waits for all threads of the running thread's block.
void wait_for_block();
/// Waits for all threads of the running thread's warp.
void wait_for_warp();

/// Returns eight bytes that belong to a lane of the running thread's warp. Throws where the warp
/// has no such lane.
void* slot_of(int lane);
/// Returns the lane of the running thread.
int own_lane();

/// Shuffles the order in which the threads of a block run, after each barrier anew, while the
/// object lives. A result that depends on `seed` shows a race.
class ShuffledThreads {
 public:
  explicit ShuffledThreads(uint64_t seed);
  ~ShuffledThreads();
  ShuffledThreads(const ShuffledThreads&) = delete;
  ShuffledThreads& operator=(const ShuffledThreads&) = delete;
};

/// Returns the `value` that the thread of `lane` passes. All lanes of the warp must call, with a
/// full mask.
template <class T>
T exchange(T value, int lane, unsigned mask) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 8);
  if (mask != 0xffffffffU) {
    throw std::logic_error("a shuffle takes all 32 lanes here");
  }
  std::memcpy(slot_of(own_lane()), &value, sizeof(T));
  wait_for_warp();
  std::memcpy(&value, slot_of(lane), sizeof(T));
  wait_for_warp();
  return value;
}

}  // namespace retia::kernels::cuda::host

inline void __syncthreads() { retia::kernels::cuda::host::wait_for_block(); }
inline void __syncwarp(unsigned = 0xffffffffU) { retia::kernels::cuda::host::wait_for_warp(); }

template <class T>
T __shfl_sync(unsigned mask, T value, int lane) {
  return retia::kernels::cuda::host::exchange(value, lane, mask);
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits) {
  return __shfl_sync(mask, value, retia::kernels::cuda::host::own_lane() ^ bits);
}

template <class T>
T __shfl_down_sync(unsigned mask, T value, int by) {
  const int own = retia::kernels::cuda::host::own_lane();
  return __shfl_sync(mask, value, own + by < retia::kernels::cuda::host::kLanes ? own + by : own);
}

template <class T>
T atomicAdd(T* at, T value) {
  const T before = *at;
  *at = before + value;
  return before;
}
