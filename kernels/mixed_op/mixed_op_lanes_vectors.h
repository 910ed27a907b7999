// Seen only through mixed_op_lanes_impl.h, whose rule on what may be used holds here too.
#pragma once

#include "kernels/mixed_op/mixed_op_lanes.h"

namespace retia::kernels {
namespace {

#ifdef __AVX512F__
constexpr int kRegisters = 32;
constexpr int kWidestBytes = 64;
#else
constexpr int kRegisters = 16;
constexpr int kWidestBytes = 32;
#endif
constexpr int kGroup = static_cast<int>(kPixelGroup);

/// kLanes channels side by side.
template <class T, int kLanes>
struct Vectors {
  typedef T Vector __attribute__((vector_size(kLanes * sizeof(T))));

  static inline Vector load(const T* from) {
    Vector vector;
    __builtin_memcpy(&vector, from, sizeof vector);
    return vector;
  }
  static inline void store(T* to, Vector vector) { __builtin_memcpy(to, &vector, sizeof vector); }
};

}  // namespace
}  // namespace retia::kernels
