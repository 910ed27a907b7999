#pragma once

#include <string>
#include <vector>

#include "engine/ir/operation.h"

namespace retia {

/// A cell as the benchmark describes it: vertex 0 is its input, the last one its output.
struct NasBench101Cell {
  std::vector<std::string> ops;          ///< of the vertices between: conv1x1, conv3x3, maxpool3x3
  std::vector<std::vector<bool>> edges;  ///< [j - 1][i]: whether vertex j reads vertex i < j

  int64_t n_edges() const;
  friend bool operator==(const NasBench101Cell&, const NasBench101Cell&) = default;
};

/// `cell` with only the vertices that are on a path from input to output, in their order. Throws
/// when there is no such path.
NasBench101Cell pruned(const NasBench101Cell& cell);

/// Channels of each vertex of a pruned cell: the output's are divided among the vertices that it
/// reads, the first ones taking one more of what remains; another vertex has as many as the largest
/// that reads it.
std::vector<int64_t> channels_of(const NasBench101Cell& cell, int64_t in, int64_t out);

struct NasBench101CellOptions {
  Dim out = 0;                                               ///< channels; 0: as many as come in
  std::vector<ir::Parameter<std::string>> ops = {};          ///< as of NasBench101Cell
  std::vector<std::vector<ir::Parameter<bool>>> edges = {};  ///< as of NasBench101Cell
  int64_t max_edges = 9;                                     ///< of the pruned cell
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(NasBench101CellOptions, out, ops, edges, max_edges)

/// Choices for all of a cell of `n_vertices`: operation i labelled `<label>/op<i>`, the edge from
/// vertex i to vertex j `<label>/i-j`.
NasBench101CellOptions nasbench101_choices(const std::string& label, int64_t n_vertices);

namespace ops {
/// [C, H, W] -> [out, H, W]: a cell of NAS-Bench-101 (Ying et al., ICML 2019). Vertices that are on
/// no path from input to output are pruned. Each other one sums what it reads, the input by a
/// projection (pointwise convolution, normalisation, rectifier), the others cut to its channels;
/// convolutions are followed by normalisation and rectifier. The output joins what it reads, and
/// adds a projection where it reads the input. For models: no supernet shares weights between
/// cells. Architectures of one pruned cell have one canonical form; one without a path, or with
/// more than max_edges, makes no model.
ir::Operation nasbench101_cell(const NasBench101CellOptions& options);
}  // namespace ops

}  // namespace retia
