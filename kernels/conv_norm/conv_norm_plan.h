#pragma once

#include <algorithm>
#include <vector>

#include "retia/kernels/conv_norm/conv_norm.h"
#include "retia/kernels/stencil/geometry.h"
#include "retia/kernels/stencil/groups.h"
#include "retia/kernels/stencil/images.h"
#include "retia/kernels/stencil/workspaces.h"

namespace retia::kernels {

/// The plan of a pass of conv_norm: everything that can be computed before a number of x is read.
template <class T>
struct ConvNormPlan {
  ConvNormPlan(const at::Tensor& x, at::TensorList weights, const ConvNormOptions& options,
               Way way);
  ConvNormPlan(const ConvNormPlan&) = delete;
  ConvNormPlan& operator=(const ConvNormPlan&) = delete;

  ConvKind kind;
  bool relu_before;
  int64_t n, channels_in, channels_out;  ///< images of x, channels of x, channels of the result
  int64_t c_in, c_out;           ///< channels rounded up to whole vectors; those added stay zero
  int64_t kernel, dilation;      ///< size of the kernel, distance between the pixels that it reads
  Geometry geometry;             ///< tiles of c_in channels
  Lanes<T> in_lanes, out_lanes;  ///< loops for c_in channels, for c_out channels

  Offsets taps;                       ///< offsets of the taps of the stencil or the dense product
  Numbers<T> stencil;                 ///< depthwise weights, [taps, c_in]
  Numbers<T> product;                 ///< [taps, c_in, c_out] forward, [c_out, taps, c_in] backward
  std::vector<PhaseTaps<T>> through;  ///< backward: taps to each phase
  Offsets out_rows;                   ///< offsets of pixels of c_out numbers
  Offsets wide_rows;                  ///< offsets of a block of pixels of columns() numbers

  /// Returns whether the kind is a pool.
  bool is_pool() const { return kind == ConvKind::MaxPool3 || kind == ConvKind::AveragePool3; }
  /// Returns whether the kind is a product of all channels.
  bool is_dense() const { return kind == ConvKind::Dense || kind == ConvKind::Halving; }
  /// Returns whether the kind begins with a depthwise convolution.
  bool is_depthwise() const { return kind == ConvKind::Depthwise || kind == ConvKind::Separable; }
  /// Returns whether x is read from a tile with a border: where outputs read pixels around their
  /// own, or not all pixels are read.
  bool has_tile() const {
    return !(kind == ConvKind::None || (kind == ConvKind::Dense && kernel == 1)) ||
           geometry.stride > 1;
  }
  /// Returns how many numbers an output of the product reads.
  int64_t columns() const { return (is_dense() ? static_cast<int64_t>(taps.size()) : 1) * c_in; }
  /// Returns the offset of each output's own pixel in the source.
  const Offsets& centres() const { return has_tile() ? geometry.centres : geometry.flat; }
  /// Returns how many numbers the source holds: x as the convolution reads it.
  int64_t source_size() const {
    return has_tile() ? geometry.in.size() : static_cast<int64_t>(geometry.flat.size()) * c_in;
  }

  /// The number of parts into which the outputs of an image are divided, each summed by itself, so
  /// that few images are work for many threads. Fixed by the sizes of x, so that the sums have the
  /// same bits on any number of threads.
  int64_t n_parts;
  /// Returns the outputs of parts [first, end).
  Pixels outputs_of(int64_t first, int64_t end) const { return {begin_of(first), begin_of(end)}; }
  /// Returns the inputs whose gradients are computed with `outputs`, which are whole parts: each
  /// input belongs to one part.
  Pixels inputs_of(Pixels outputs) const;
  /// Returns the inputs that `outputs` are computed from.
  Pixels inputs_read_by(Pixels outputs) const;
  /// Returns the outputs that are computed from `inputs`.
  Pixels outputs_reading(Pixels inputs) const;
  /// Calls visit(part, first, n) for each block of outputs of the image that overlaps `outputs`.
  template <class Visit>
  void for_blocks(Pixels outputs, const Visit& visit) const {
    for (int64_t part = 0; part < n_parts; ++part) {
      const int64_t end = begin_of(part + 1);
      for (int64_t p = begin_of(part); p < std::min(end, outputs.end); p += cpu::kBlock) {
        const int64_t n_pixels = std::min(cpu::kBlock, end - p);
        if (p + n_pixels > outputs.first) {
          visit(part, p, n_pixels);
        }
      }
    }
  }

  /// Adds sums to the gradients of weights. stencil_sum: [taps, c_in]. product_sum: [c_out, taps,
  /// c_in].
  void unpack(const T* stencil_sum, const T* product_sum, std::vector<at::Tensor>& gradients) const;

 private:
  /// Returns the first output of a part.
  int64_t begin_of(int64_t part) const {
    const int64_t n_groups = geometry.n_out_whole / kPixelGroup;
    return std::min(n_groups * part / n_parts * kPixelGroup, geometry.n_out);
  }
  /// Returns how many rows above and below its own an output reads.
  int64_t reach() const { return kernel / 2 * dilation; }
  /// Calls visit for each weight of the product: with its place in a tensor, the index of the
  /// tensor, and its output, tap and input.
  template <class Visit>
  void visit_product(at::TensorList weights, const Visit& visit) const;
};

namespace cpu {

/// Parts [first, end) of an image.
struct Span {
  int64_t image, first, end;
};

/// The parts of n images as tasks, one span per task: an image, or a piece of an image where there
/// are few images for the threads.
class Spans {
 public:
  Spans(int64_t n, int64_t n_parts)
      : n_(n), n_parts_(n_parts), pieces_(std::min(n_parts, groups_for_threads(n))) {}

  /// Returns the number of tasks.
  int64_t n() const { return n_ * pieces_; }
  /// Returns the span of a task.
  Span operator[](int64_t task) const {
    const int64_t piece = task % pieces_;
    return {task / pieces_, n_parts_ * piece / pieces_, n_parts_ * (piece + 1) / pieces_};
  }

 private:
  int64_t n_, n_parts_, pieces_;
};

/// The scratch memory of one thread.
template <class T>
struct ConvNormWorkspace {
  explicit ConvNormWorkspace(const ConvNormPlan<T>& plan);

  Numbers<T> ones, zeros;  ///< factors and shifts that change nothing, [c]
  Numbers<T> source;       ///< x, or relu(x), in a tile or without border
  Numbers<T> block;        ///< depthwise results of a block of pixels
  Numbers<T> shares;       ///< 1 / (number of pixels under an average), per pixel
};

/// The scratch memory of one thread of the backward pass.
template <class T>
struct ConvNormBackwardWorkspace : ConvNormWorkspace<T> {
  explicit ConvNormBackwardWorkspace(const ConvNormPlan<T>& plan);

  Numbers<T> before;    ///< gradient before the normalisation
  Numbers<T> bordered;  ///< tile of the gradient before the product
  Numbers<T> wide;      ///< gradient before a dense product, of a block of pixels
  Numbers<T> pooled;    ///< result of a max pool, computed again
  Numbers<T> to;        ///< gradient of the source
};

/// Writes the pixels `inputs` of one image x into the source, after relu where the plan says so.
/// Returns the source that the convolution reads: x itself where nothing has to be written.
template <class T>
const T* fill_source(const ConvNormPlan<T>& plan, const T* x, Pixels inputs,
                     const ConvNormWorkspace<T>& w);

/// Computes the depthwise results of outputs [p, p + n) into `to`.
template <class T>
void run_stencil(const ConvNormPlan<T>& plan, const T* source, int64_t p, int64_t n, T* to,
                 const ConvNormWorkspace<T>& w);

}  // namespace cpu
}  // namespace retia::kernels
