#pragma once

#include <string>
#include <vector>

#include "retia/engine/operations/operation.h"

namespace retia {

/// A cell in the benchmark's description. Vertex 0 is the input, the last vertex is the output.
struct NasBench101Cell {
  std::vector<std::string> ops;          ///< conv1x1, conv3x3 or maxpool3x3 of each inner vertex
  std::vector<std::vector<bool>> edges;  ///< [j - 1][i]: whether vertex j reads vertex i < j

  /// Returns the number of edges.
  int64_t n_edges() const;
  friend bool operator==(const NasBench101Cell&, const NasBench101Cell&) = default;
};

/// Returns `cell` with only the vertices on paths from input to output, in their order. Throws when
/// there is no such path.
NasBench101Cell pruned(const NasBench101Cell& cell);

/// Returns the channels of each vertex of a pruned cell. The output's channels are divided among
/// the vertices that it reads, the first ones taking the remainder one by one; any other vertex has
/// as many as the largest vertex that reads it.
std::vector<int64_t> channels_of(const NasBench101Cell& cell, int64_t in, int64_t out);

/// The options of ops::nasbench101_cell.
struct NasBench101CellOptions {
  Dim out = 0;  ///< output channels; 0: as many as the input has
  std::vector<ir::Parameter<std::string>> ops = {};          ///< NasBench101Cell::ops
  std::vector<std::vector<ir::Parameter<bool>>> edges = {};  ///< NasBench101Cell::edges
  int64_t max_edges = 9;                                     ///< most edges of the pruned cell
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(NasBench101CellOptions, out, ops, edges, max_edges)

/// Returns options in which everything of a cell of `n_vertices` is a choice: operation i has the
/// label `<label>/op<i>`, the edge from vertex i to vertex j `<label>/i-j`.
NasBench101CellOptions nasbench101_choices(const std::string& label, int64_t n_vertices);

namespace ops {
/// Makes a cell of NAS-Bench-101 (Ying et al., ICML 2019), [C, H, W] → [out, H, W]. Vertices on no
/// path from input to output are pruned. Each inner vertex sums what it reads: the input through a
/// projection (pointwise convolution, batch normalisation, relu), other vertices cut to its
/// channels. Convolutions are followed by batch normalisation and relu. The output concatenates the
/// inner vertices that it reads, and adds a projection where it reads the input. For multi-trial
/// search only: cells share no weights. Architectures with the same pruned cell have the same
/// canonical form. Throws for a cell without a path, or with more than max_edges.
ir::Operation nasbench101_cell(const NasBench101CellOptions& options);
}  // namespace ops

}  // namespace retia
