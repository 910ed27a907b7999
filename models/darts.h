#pragma once

#include "retia/models/darts_cnn.h"

namespace retia {

/// Writes the nodes of all cells of one kind; its name is the kind, `normal` or `reduce`. Node `j`
/// is the sum of two earlier states, each after one of eight operations. Labels and candidates are
/// those of darts_cnn: `normal/j` decides the two edges, `normal/i-j` the operation of a chosen
/// edge.
class DartsCell final : public GraphMutator {
 public:
  /// `name`: kind of the cells, `normal` or `reduce`.
  explicit DartsCell(std::string name);
  void mutate(ir::Graph& graph, Sampler& sampler) const override;

 private:
  // Candidate operations of an edge, at stride 1 and 2.
  std::vector<ir::Candidate> plain_, strided_;
};

/// Returns the space of DARTS (Liu et al. 2019) for multi-trial search: a base graph and a
/// DartsCell for each kind of cell. Output `logits`. `task.input`: {channels, height, width}.
ir::Space darts(const DartsBaseOptions& options, const Task& task);

}  // namespace retia
