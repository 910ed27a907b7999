#pragma once

#include <functional>

#include "engine/distributed/ranks.h"
#include "engine/evaluator.h"

namespace retia {

/// Lets several ranks score each architecture together. The first rank runs an experiment with this
/// evaluator, the others follow(). Where any rank asks to stop, or is lost, the trial counts as
/// stopped.
class RankedEvaluator final : public Evaluator {
 public:
  /// inner: scores by the architecture alone, in step with that of the other ranks. All outlive
  /// this. stop_requested: asked on each rank after each trial.
  RankedEvaluator(Evaluator& inner, Ranks& ranks, std::function<bool()> stop_requested);

  std::vector<Objective> objectives() const override { return inner_.objectives(); }
  bool reads_model() const override { return inner_.reads_model(); }
  Evaluation evaluate(const ir::Graph& model, const Trial& trial) override;
  Json to_json() const override { return inner_.to_json(); }

  /// On ranks but the first: takes part in each trial, until the first says which architecture
  /// (canonical) it has come to; none: it was stopped.
  std::optional<Architecture> follow();
  /// On the first rank: says so.
  void conclude(const std::optional<Architecture>& found);

 private:
  Evaluation join(const ir::Graph& model, const Proposal& proposal);

  Evaluator& inner_;
  Ranks& ranks_;
  std::function<bool()> stop_requested_;
};

}  // namespace retia
