#pragma once

#include "retia/kernels/mixed_op/mixed_op_plan.h"
#include "retia/kernels/stencil/images.h"
#include "retia/kernels/stencil/workspaces.h"

namespace retia::kernels::cpu {

/// The outputs before normalisation of convolutions, or of pools: [stages, n, pixels, c].
template <class T>
struct Outputs {
  T* data;       ///< the first number
  int64_t n;     ///< number of images
  int64_t size;  ///< numbers of one image

  /// Returns the output of a stage for one image. place: Stage::place.
  T* operator()(int64_t place, int64_t image) const { return data + (place * n + image) * size; }
};

/// The scratch memory of one thread of a pass, allocated and cleared once for many images.
template <class T>
struct Workspace {
  explicit Workspace(const MixedOpPlan<T>& plan);

  Numbers<T> ones, zeros;  ///< factors and shifts that change nothing, [c]
  Numbers<T> shift;        ///< shift of a normalisation, [c]
  Numbers<T> depthwise;    ///< depthwise results of a block of pixels
  Offsets wide;            ///< offsets of a block of pixels of 2c numbers
  Numbers<T> rectified;    ///< tile of relu(x)
  Numbers<T> lowest;       ///< tile of x, with a border of the lowest number, for max pools
  Numbers<T> bordered;     ///< tile of x, for average pools
  Numbers<T> second;       ///< tile of relu of a normalised first stage
  Numbers<T> shares;       ///< 1 / (number of pixels under an average), per pixel
};

/// The scratch memory of one thread of the backward pass.
template <class T>
struct BackwardWorkspace : Workspace<T> {
  explicit BackwardWorkspace(const MixedOpPlan<T>& plan);

  Numbers<T> before;                 ///< gradient before the normalisation, of a block of pixels
  Numbers<T> product;                ///< gradient before the product, of a block of pixels
  Numbers<T> first_out, second_out;  ///< tiles of gradients before the product
  Numbers<T> first_in, pools_in, second_in;  ///< tiles of gradients of what the stages read
};

}  // namespace retia::kernels::cpu
