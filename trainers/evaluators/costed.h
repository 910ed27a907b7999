#pragma once

#include <memory>

#include "engine/cost_measure.h"
#include "engine/evaluator.h"

namespace retia {

/// What costs are measured by.
struct CostsOptions {
  std::vector<std::string> costs = {};  ///< names of CostMeasures, one at least, each once
  std::string table = "";               ///< file of latencies (see LatencyTable)
  std::string space = "";               ///< named where the table lacks something
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CostsOptions, costs, table, space)

/// Another evaluator's objectives, and what a model costs, to be minimised: `multiply_adds` and
/// `parameters`, for one sample; `latency`, milliseconds of a batch by a table.
class CostedEvaluator final : public Evaluator {
 public:
  static constexpr const char* kName = "costed";

  CostedEvaluator(std::unique_ptr<Evaluator> of, CostsOptions options);

  std::vector<Objective> objectives() const override;
  Evaluation evaluate(const ir::Graph& model, const Trial& trial) override;
  std::vector<Evaluation> evaluate_merged(std::span<const ir::Graph> models,
                                          std::span<const Trial> trials) override;
  Json to_json() const override;

 private:
  void add_costs(Evaluation& evaluation, const ir::Graph& model) const;

  std::unique_ptr<Evaluator> of_;
  CostsOptions options_;
  std::vector<ir::OperationCost> costs_;
};

/// Throws, naming the nearest, unless each is the name of a cost, and there once.
void check_costs(const std::vector<std::string>& costs);

}  // namespace retia
