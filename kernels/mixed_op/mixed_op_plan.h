#pragma once

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "retia/kernels/mixed_op/mixed_op.h"
#include "retia/kernels/mixed_op/mixed_op_lanes.h"

namespace retia::kernels {

/// Offsets of pixels in numbers, filled up to whole groups.
using Table = std::vector<int32_t>;

/// n rounded up to whole groups of pixels; channels are filled up to as many.
int64_t whole(int64_t n);

/// The loops for the best instructions that ATen uses here (ATEN_CPU_CAPABILITY asks for less).
template <class T>
MixedOpLanes<T> best_lanes(int64_t channels);

/// An array at an address aligned for vectors. Copies share it. Not a tensor: making one costs as
/// much as the work on a small layer.
template <class T>
class Numbers {
 public:
  Numbers() = default;
  /// n zeros.
  explicit Numbers(int64_t n);
  /// n numbers of any value.
  static Numbers unset(int64_t n);
  T* get() const { return data_.get(); }
  T* operator+(int64_t i) const { return get() + i; }
  T& operator[](int64_t i) const { return get()[i]; }

 private:
  std::shared_ptr<T> data_;
};

/// An image of `c` channels side by side with a border of zeros all around, and a spare pixel
/// behind it for writes that nobody reads.
struct Tile {
  int64_t height = 0, width = 0, border = 0, c = 0;

  int64_t row() const { return (width + 2 * border) * c; }
  int64_t spare() const { return (height + 2 * border) * row(); }
  int64_t size() const { return spare() + c; }
  int64_t at(int64_t y, int64_t x) const { return (y + border) * row() + (x + border) * c; }
};

/// The pixels of an image from `first` to before `end`, row by row.
struct Pixels {
  int64_t first = 0, end = 0;

  int64_t n() const { return end - first; }
};

/// A tap of a square kernel, counted from its middle.
struct Tap {
  int64_t y, x;
};
std::vector<Tap> taps_of(int64_t kernel, int64_t dilation);

/// Pixels of the input whose gradients come through the same taps: those of one remainder by the
/// stride in both directions.
struct Phase {
  int64_t y, x, n;
  int64_t stride, width;  ///< of the image; of a row of these pixels
  Table from;             ///< in the tile of outputs
  Table to;               ///< in the tile of inputs

  /// Returns which of these pixels lie in rows [first, end) of the image, from the beginning of a
  /// whole group on.
  Pixels of_rows(int64_t first, int64_t end) const {
    const auto before = [&](int64_t row) {
      return std::min(std::max<int64_t>(row - y + stride - 1, 0) / stride * width, n);
    };
    return {before(first) / kPixelGroup * kPixelGroup, before(end)};
  }
};

/// How outputs of stride `stride` lie over an image.
struct Geometry {
  Geometry(int64_t height, int64_t width, int64_t border, int64_t stride, int64_t c);

  Tile in, out;
  int64_t stride, n_in, n_out;
  int64_t n_out_whole;      ///< n_out rounded up to whole groups
  Table centres;            ///< in the tile of inputs, of each output
  Table in_read, in_write;  ///< of each input
  Table out_write;          ///< of each output, in the tile of outputs
  Table out_read;
  Table flat;  ///< of each output (or input) in an array without border
  std::vector<Phase> phases;
};

/// The taps of a stencil that carry gradients to a phase.
template <class T>
struct PhaseTaps {
  Table taps;
  Numbers<T> weights;
};

/// [C, 1, k, k] to [taps, c].
template <class T>
Numbers<T> pack_stencil(const at::Tensor& weight, int64_t c);

/// What ends in one normalisation: relu, stencil and pointwise product, or a pool.
template <class T>
struct Stage {
  StageKind kind;
  int64_t kernel, dilation;
  int64_t source;        ///< the stage whose normalised output it reads, or -1: x
  int64_t place;         ///< among the stages whose outputs are kept, or among the pools
  int64_t first_weight;  ///< its place in the list of weights
  const Geometry* geometry;
  std::vector<int64_t> branches;  ///< those whose last stage it is: none, one, or a pool's
  std::vector<int64_t> norms;     ///< as many, or one; their places in the list of normalisations

  Table taps;
  Numbers<T> stencil;                 ///< [taps, c]
  Numbers<T> product;                 ///< [in, c] forward, [c, in] backward
  std::vector<PhaseTaps<T>> through;  ///< backward: one a phase

  int64_t in() const { return kind == StageKind::Halving ? 2 * geometry->in.c : geometry->in.c; }
  bool is_pool() const { return kind == StageKind::MaxPool || kind == StageKind::AveragePool; }
};

enum class Direction { Forward, Backward };

/// The taps that carry gradients back to `phase` of what a stencil of these `taps` read. stencil:
/// [taps, c].
template <class T>
PhaseTaps<T> taps_through(const Phase& phase, const Geometry& geometry,
                          const std::vector<Tap>& taps, const Numbers<T>& stencil);

/// All that a pass needs to know before it sees a number of x.
template <class T>
struct Plan {
  Plan(const at::Tensor& x, at::TensorList weights, const MixedOpOptions& options, Direction way);
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  int64_t n, channels;
  int64_t c;  ///< channels rounded up to whole vectors; those added stay zero
  Geometry first, second;
  std::vector<Stage<T>> stages;
  std::vector<MixedEdge> edges;
  std::vector<int64_t> edge_of;     ///< of each branch
  std::vector<int64_t> last_stage;  ///< of each branch; -1: the identity
  int64_t n_kept = 0, n_pools = 0;
  MixedOpLanes<T> lanes;

  /// The stages that read x, or those that read stages.
  std::vector<int64_t> stages_on(bool on_x) const;

  /// Sets the gradients of the stage's weights to what was summed as [taps, c] and [c, in].
  void unpack(const Stage<T>& stage, const T* stencil_sum, const T* product_sum,
              const std::vector<at::Tensor>& gradients) const;

 private:
  /// The stages of a branch whose weights and normalisations begin there; returns its last.
  int64_t add_branch(MixedBranch branch, int64_t weight, int64_t norm);
  /// Returns where it is.
  int64_t add_stage(const BranchStage& of, int64_t source, int64_t first_weight, int64_t norm);
  /// Brings the weights of a stage into the order in which its loops read them. weights:
  /// contiguous.
  void pack(Stage<T>& stage, at::TensorList weights, Direction way) const;
  /// The pool of that kind that is there already, or -1.
  int64_t find_pool(StageKind kind) const;
};

}  // namespace retia::kernels
