// Each file that compiles the loops for a set of instructions includes this header once. Loops may
// use only names of the anonymous namespace: the linker could share an inline function of the
// standard library with files that are compiled for older processors.
#include "retia/kernels/stencil/lanes_maxima.h"
#include "retia/kernels/stencil/lanes_pixels.h"
#include "retia/kernels/stencil/lanes_products.h"
#include "retia/kernels/stencil/lanes_stencils.h"
#include "retia/kernels/stencil/lanes_sums.h"

namespace retia::kernels {
namespace {

/// Returns the loops on vectors of kLanes channels.
template <class T, int kLanes>
Lanes<T> loops() {
  using Stencils = StencilLoops<T, kLanes>;
  using Products = ProductLoops<T, kLanes>;
  using Maxima = MaximumLoops<T, kLanes>;
  using Pixels = PixelLoops<T, kLanes>;
  using Sums = SumLoops<T, kLanes>;
  return {.stencil = &Stencils::stencil,
          .add_stencil = &Stencils::add_stencil,
          .add_stencil_weights = &Stencils::add_stencil_weights,
          .product = &Products::product,
          .add_outer = &Products::add_outer,
          .maximum = &Maxima::maximum,
          .add_at_maxima = &Maxima::add_at_maxima,
          .copy = &Pixels::copy,
          .scale = &Pixels::scale,
          .rectify = &Pixels::rectify,
          .rectify_gradient = &Pixels::rectify_gradient,
          .add_to = &Pixels::add_to,
          .add_from = &Pixels::add_from,
          .affine = &Pixels::affine,
          .blend = &Pixels::blend,
          .add_moments = &Sums::add_moments,
          .add_correlation = &Sums::add_correlation};
}

/// Returns the loops on the widest vectors that divide `channels`.
template <class T>
Lanes<T> lanes(int64_t channels) {
  constexpr int kLanes = kWidestBytes / static_cast<int>(sizeof(T));
  if constexpr (kLanes > kGroup) {
    if (channels % kLanes != 0) {
      return loops<T, kGroup>();
    }
  }
  return loops<T, kLanes>();
}

}  // namespace
}  // namespace retia::kernels
