#pragma once

#include <memory>

#include "retia/engine/cost/cost_measure.h"
#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/io/option.h"

namespace retia {

/// The costs to add as objectives.
struct CostsOptions {
  std::vector<std::string> costs = {};  ///< names of CostMeasures, at least one, each once
  std::string table = "";               ///< file of latencies (see LatencyTable)
  std::string space = "";               ///< named in messages where the table lacks an entry
};
inline std::vector<Option> declared(CostsOptions& o) {
  return {
      option("costs", o.costs, "costs that are further objectives"),
      option("table", o.table, "file of latencies"),
      option("space", o.space, "space that messages name"),
  };
}

/// Adds costs of the model, to be minimised, to another evaluator's objectives: `multiply_adds` and
/// `parameters` for one sample; `latency`, in milliseconds of a batch, from a table.
class CostedEvaluator final : public Evaluator {
 public:
  /// The name in to_json(); in no table of evaluators, since it needs another evaluator.
  static constexpr const char* kName = "costed";

  /// Adds `options.costs` to the objectives of `of`. Throws, naming the nearest, on an unknown
  /// cost.
  CostedEvaluator(std::unique_ptr<Evaluator> of, CostsOptions options);

  std::vector<Objective> objectives() const override;
  Evaluation evaluate(const Trial& trial) override;
  std::optional<std::vector<Evaluation>> evaluate_merged(std::span<const Trial> trials) override;
  Json to_json() const override;

 private:
  void add_costs(Evaluation& evaluation, const ir::Graph& model) const;

  std::unique_ptr<Evaluator> of_;
  CostsOptions options_;
  std::vector<ir::OperationCost> costs_;
};

/// Throws, naming the nearest, unless each is the name of a cost and occurs once.
void check_costs(const std::vector<std::string>& costs);

}  // namespace retia
