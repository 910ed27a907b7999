#pragma once

#include "models/darts_cnn.h"

namespace retia {

/// Makes the nodes of all cells of one kind, `normal` or `reduce`, which is its name: node `j` is
/// the sum of two earlier states, each after one of eight operations. Its decisions have the labels
/// and candidates of those of darts_cnn: `normal/j` which edges, `normal/i-j` the operation of one
/// that was chosen.
class DartsCell final : public GraphMutator {
 public:
  explicit DartsCell(std::string name);
  void mutate(ir::Graph& graph, Sampler& sampler) const override;

 private:
  std::vector<ir::Candidate> plain_, strided_;  // the operations of an edge
};

/// The space of DARTS (Liu et al. 2019) as a base graph and a DartsCell for each kind of cell, to
/// be tried model by model. Output `logits`. task.input: {channels, height, width}.
ir::Space darts(const DartsBaseOptions& options, const Task& task);

}  // namespace retia
