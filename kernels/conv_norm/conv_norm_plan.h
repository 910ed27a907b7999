#pragma once

#include <algorithm>
#include <vector>

#include "retia/kernels/conv_norm/conv_norm.h"
#include "retia/kernels/stencil/geometry.h"
#include "retia/kernels/stencil/groups.h"
#include "retia/kernels/stencil/images.h"
#include "retia/kernels/stencil/workspaces.h"

namespace retia::kernels {

/// All that a pass needs to know before it sees a number of x.
template <class T>
struct ConvNormPlan {
  ConvNormPlan(const at::Tensor& x, at::TensorList weights, const ConvNormOptions& options,
               Way way);
  ConvNormPlan(const ConvNormPlan&) = delete;
  ConvNormPlan& operator=(const ConvNormPlan&) = delete;

  ConvKind kind;
  bool relu_before;
  int64_t n, channels_in, channels_out;
  int64_t c_in, c_out;  ///< channels rounded up to whole vectors; those added stay zero
  int64_t kernel, dilation;
  Geometry geometry;  ///< of c_in channels
  Lanes<T> in_lanes, out_lanes;

  Offsets taps;                       ///< of the stencil or the dense product
  Numbers<T> stencil;                 ///< [taps, c_in]
  Numbers<T> product;                 ///< [taps, c_in, c_out] forward, [c_out, taps, c_in] backward
  std::vector<PhaseTaps<T>> through;  ///< backward: one a phase
  Offsets out_rows;                   ///< of pixels of c_out numbers
  Offsets wide_rows;                  ///< of a block of pixels of columns() numbers

  bool is_pool() const { return kind == ConvKind::MaxPool3 || kind == ConvKind::AveragePool3; }
  bool is_dense() const { return kind == ConvKind::Dense || kind == ConvKind::Halving; }
  bool is_depthwise() const { return kind == ConvKind::Depthwise || kind == ConvKind::Separable; }
  /// Whether it reads around a pixel, or not all pixels: then from a tile with a border.
  bool has_tile() const {
    return !(kind == ConvKind::None || (kind == ConvKind::Dense && kernel == 1)) ||
           geometry.stride > 1;
  }
  /// What a pixel of the product reads.
  int64_t columns() const { return (is_dense() ? static_cast<int64_t>(taps.size()) : 1) * c_in; }
  /// Where each output's pixel of the source is.
  const Offsets& centres() const { return has_tile() ? geometry.centres : geometry.flat; }
  int64_t source_size() const {
    return has_tile() ? geometry.in.size() : static_cast<int64_t>(geometry.flat.size()) * c_in;
  }

  /// The outputs of an image are divided into n_parts parts, each summed by itself, so that few
  /// images are work for many threads. Fixed by the sizes of x, so that the sums have the same bits
  /// on any number of threads.
  int64_t n_parts;
  /// Returns the outputs of parts [first, end).
  Pixels outputs_of(int64_t first, int64_t end) const { return {begin_of(first), begin_of(end)}; }
  /// Returns the inputs whose gradients belong to these parts: each input to one part.
  Pixels inputs_of(Pixels outputs) const;
  /// Returns the inputs that `outputs` are computed from.
  Pixels inputs_read_by(Pixels outputs) const;
  /// Returns the outputs that are computed from `inputs`.
  Pixels outputs_reading(Pixels inputs) const;
  /// Calls visit(part, first, n) for each block of outputs of the image of which one is in
  /// `outputs`.
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

  /// Adds to gradients of weights what was summed as [taps, c_in] and [c_out, taps, c_in].
  void unpack(const T* stencil_sum, const T* product_sum, std::vector<at::Tensor>& gradients) const;

 private:
  /// Returns the first output of a part.
  int64_t begin_of(int64_t part) const {
    const int64_t n_groups = geometry.n_out_whole / kPixelGroup;
    return std::min(n_groups * part / n_parts * kPixelGroup, geometry.n_out);
  }
  /// Returns how many rows above and below its own an output reads.
  int64_t reach() const { return kernel / 2 * dilation; }
  /// Calls with each weight of the product: its place in a tensor, its tensor, and where it is
  /// from: output, tap and input.
  template <class Visit>
  void visit_product(at::TensorList weights, const Visit& visit) const;
};

namespace cpu {

/// Parts [first, end) of an image.
struct Span {
  int64_t image, first, end;
};

/// The parts of n images as tasks, a span each: an image, or a piece of one where there are few
/// images for the threads.
class Spans {
 public:
  Spans(int64_t n, int64_t n_parts)
      : n_(n), n_parts_(n_parts), pieces_(std::min(n_parts, groups_for_threads(n))) {}

  int64_t n() const { return n_ * pieces_; }
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

  Numbers<T> ones, zeros;  ///< [c]
  Numbers<T> source;       ///< x, rectified if that is asked for; in a tile or flat
  Numbers<T> block;        ///< of depthwise results
  Numbers<T> shares;       ///< one by the number of pixels under an average
};

/// The scratch memory of one thread of the backward pass.
template <class T>
struct ConvNormBackwardWorkspace : ConvNormWorkspace<T> {
  explicit ConvNormBackwardWorkspace(const ConvNormPlan<T>& plan);

  Numbers<T> before;    ///< the gradient before the normalisation
  Numbers<T> bordered;  ///< the same before the product
  Numbers<T> wide;      ///< the same of a dense product's block
  Numbers<T> pooled;    ///< a pool of maxima made again
  Numbers<T> to;        ///< the gradient of the source
};

/// Brings the pixels `inputs` of x where the convolution reads them; returns where that is.
template <class T>
const T* fill_source(const ConvNormPlan<T>& plan, const T* x, Pixels inputs,
                     const ConvNormWorkspace<T>& w);

/// The depthwise results of `n` outputs from `p` on.
template <class T>
void run_stencil(const ConvNormPlan<T>& plan, const T* source, int64_t p, int64_t n, T* to,
                 const ConvNormWorkspace<T>& w);

}  // namespace cpu
}  // namespace retia::kernels
