#pragma once

#include "retia/kernels/mixed_op/mixed_op_plan.h"
#include "retia/kernels/stencil/images.h"
#include "retia/kernels/stencil/workspaces.h"

namespace retia::kernels::cpu {

/// Numbers of the outputs that are kept, or of the pools: [stages, n, pixels, c].
template <class T>
struct Outputs {
  T* data;
  int64_t n, size;
  T* operator()(int64_t place, int64_t image) const { return data + (place * n + image) * size; }
};

/// The scratch memory of one thread: passes over many images allocate and clear it once.
template <class T>
struct Workspace {
  explicit Workspace(const MixedOpPlan<T>& plan);

  Numbers<T> ones, zeros;
  Numbers<T> shift;      ///< of a normalisation, [c]
  Numbers<T> depthwise;  ///< of a block
  Offsets wide;          ///< of a block of pixels of 2c numbers
  Numbers<T> rectified;  ///< relu(x)
  Numbers<T> lowest;     ///< x, with a border that no maximum takes
  Numbers<T> bordered;   ///< x
  Numbers<T> second;     ///< relu of the normalised first stage
  Numbers<T> shares;     ///< one by the number of pixels under an average
};

/// The scratch memory of one thread of the backward pass.
template <class T>
struct BackwardWorkspace : Workspace<T> {
  explicit BackwardWorkspace(const MixedOpPlan<T>& plan);

  Numbers<T> before;                         ///< gradient before the normalisation
  Numbers<T> product;                        ///< gradient before the product, of a block
  Numbers<T> first_out, second_out;          ///< gradient before the product, bordered
  Numbers<T> first_in, pools_in, second_in;  ///< gradient of what the stages read
};

}  // namespace retia::kernels::cpu
