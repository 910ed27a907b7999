#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <type_traits>

/// CUDA kernel bodies on the host, for tests and sanitizers: blocks run one after another, and each
/// thread of a block is a fibre that runs until it waits at a barrier. All is deterministic and in
/// one host thread. What it cannot show: races within a warp between two barriers, and speed.

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

/// Runs `kernel` once for each thread of each block. Throws std::logic_error if some threads of a
/// block wait at a barrier that others never reach, and what a thread throws.
void run_grid(const std::function<void()>& kernel, dim3 blocks, dim3 threads, size_t shared_bytes);

/// The running block's; filled with ones, which are NaN to every type, before each block.
void* dynamic_shared();

/// Waits for all threads of the running thread's block, or warp.
void wait_for_block();
void wait_for_warp();

/// Eight bytes of the given lane of the running thread's warp; throws where there is none.
void* slot_of(int lane);
int own_lane();

/// While one is alive, the threads of a block run in an order that `seed` shuffles, after each
/// barrier anew. Results that depend on the order are those of a race.
class ShuffledThreads {
 public:
  explicit ShuffledThreads(uint64_t seed);
  ~ShuffledThreads();
  ShuffledThreads(const ShuffledThreads&) = delete;
  ShuffledThreads& operator=(const ShuffledThreads&) = delete;
};

/// The value that `lane` passes; all lanes of the warp must take part.
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
