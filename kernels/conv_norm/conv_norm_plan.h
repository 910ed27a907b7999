#pragma once

#include <vector>

#include "retia/kernels/conv_norm/conv_norm.h"
#include "retia/kernels/mixed_op/mixed_op_plan.h"
#include "retia/kernels/mixed_op/mixed_op_workplace.h"

namespace retia::kernels {

/// All that a pass needs to know before it sees a number of x.
template <class T>
struct ConvNormPlan {
  ConvNormPlan(const at::Tensor& x, at::TensorList weights, const ConvNormOptions& options,
               Direction way);
  ConvNormPlan(const ConvNormPlan&) = delete;
  ConvNormPlan& operator=(const ConvNormPlan&) = delete;

  ConvKind kind;
  bool relu_before;
  int64_t n, channels_in, channels_out;
  int64_t c_in, c_out;  ///< channels rounded up to whole vectors; those added stay zero
  int64_t kernel, dilation;
  Geometry geometry;  ///< of c_in channels
  MixedOpLanes<T> in_lanes, out_lanes;

  Table taps;                         ///< of the stencil or the dense product
  Numbers<T> stencil;                 ///< [taps, c_in]
  Numbers<T> product;                 ///< [taps, c_in, c_out] forward, [c_out, taps, c_in] backward
  std::vector<PhaseTaps<T>> through;  ///< backward: one a phase
  Table out_rows;                     ///< of pixels of c_out numbers
  Table wide_rows;                    ///< of a block of pixels of columns() numbers

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
  const Table& centres() const { return has_tile() ? geometry.centres : geometry.flat; }
  int64_t source_size() const {
    return has_tile() ? geometry.in.size() : static_cast<int64_t>(geometry.flat.size()) * c_in;
  }

  /// Adds to gradients of weights what was summed as [taps, c_in] and [c_out, taps, c_in].
  void unpack(const T* stencil_sum, const T* product_sum, std::vector<at::Tensor>& gradients) const;

 private:
  /// Calls with each weight of the product: its place in a tensor, its tensor, and where it is
  /// from: output, tap and input.
  template <class Visit>
  void visit_product(at::TensorList weights, const Visit& visit) const;
};

namespace cpu {

/// The scratch memory of one thread.
template <class T>
struct ConvNormWorkplace {
  explicit ConvNormWorkplace(const ConvNormPlan<T>& plan);

  Numbers<T> ones, zeros;  ///< [c]
  Numbers<T> source;       ///< x, rectified if that is asked for; in a tile or flat
  Numbers<T> block;        ///< of depthwise results
  Numbers<T> shares;       ///< one by the number of pixels under an average
};

/// The scratch memory of one thread of the backward pass.
template <class T>
struct ConvNormBackwardWorkplace : ConvNormWorkplace<T> {
  explicit ConvNormBackwardWorkplace(const ConvNormPlan<T>& plan);

  Numbers<T> gradient;  ///< behind the normalisation, before relu
  Numbers<T> before;    ///< the gradient before the normalisation
  Numbers<T> bordered;  ///< the same before the product
  Numbers<T> wide;      ///< the same of a dense product's block
  Numbers<T> pooled;    ///< a pool of maxima made again
  Numbers<T> to;        ///< the gradient of the source
};

/// Brings x where the convolution reads it; returns where that is.
template <class T>
const T* fill_source(const ConvNormPlan<T>& plan, const T* x, const ConvNormWorkplace<T>& w);

/// The depthwise results of `n` outputs from `p` on.
template <class T>
void run_stencil(const ConvNormPlan<T>& plan, const T* source, int64_t p, int64_t n, T* to,
                 const ConvNormWorkplace<T>& w);

}  // namespace cpu
}  // namespace retia::kernels
