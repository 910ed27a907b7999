#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "retia/engine/executor/passes/mixed_choice.h"

namespace retia::executor {

/// One result of a fused instruction: the blend of a choice, added to a sum so far where there is
/// one.
struct BlendedEdge {
  std::shared_ptr<const MixedChoice> choice;  ///< choice that is blended
  Value made;                                 ///< value that is written
  std::optional<Value> onto = {};             ///< sum so far to which the blend is added
};

/// Runs layer choices of one input and stride in one call of the fused operation `mixed_ops`.
class MixedOps final : public Instruction {
 public:
  MixedOps(Slot slot, std::vector<BlendedEdge> edges)
      : Instruction(std::move(slot)), edges_(std::move(edges)) {}

  /// Returns the results, in the order of the outputs.
  const std::vector<BlendedEdge>& edges() const { return edges_; }
  /// Returns the value that all edges read.
  Value x() const { return inputs().front(); }
  /// Returns the stride of all edges.
  int64_t stride() const { return edges_.front().choice->stride; }

  void add_decisions(std::vector<int64_t>& key) const override { key.push_back(applies() ? 1 : 0); }
  bool applies() const override;
  bool applies_to(const Frame& frame) const override;
  void run(Frame& frame) const override;
  std::string describe(const Program& program) const override;
  std::string condition() const override;
  Work cost(const Program& program) const override;

 private:
  /// Returns the work of one edge: each normalised tensor is written and read, the input is read
  /// twice, the result written once. An edge after the first reads no input again and writes no
  /// pools.
  Work edge_cost(const Program& program, const BlendedEdge& edge) const;

  /// Computes `edges`. x: the tensor of the input as fused operations read it.
  std::vector<at::Tensor> blends(const std::vector<const BlendedEdge*>& edges, const at::Tensor& x,
                                 const Frame& frame) const;

  std::vector<BlendedEdge> edges_;
};

/// Programs share their instructions, which never change.
using MixedOpsPtr = std::shared_ptr<const MixedOps>;

}  // namespace retia::executor
