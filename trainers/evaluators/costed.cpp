#include "retia/trainers/evaluators/costed.h"

#include <algorithm>

#include "retia/engine/base/suggest.h"

namespace retia {

void check_costs(const std::vector<std::string>& costs) {
  const std::vector<std::string> known = {"latency", "multiply_adds", "parameters"};
  for (const std::string& cost : costs) {
    TORCH_CHECK(std::find(known.begin(), known.end(), cost) != known.end(), "unknown cost '", cost,
                "'", suggestion(cost, known));
    TORCH_CHECK(std::count(costs.begin(), costs.end(), cost) == 1, "the cost '", cost,
                "' is given twice");
  }
}

CostedEvaluator::CostedEvaluator(std::unique_ptr<Evaluator> of, CostsOptions options)
    : of_(std::move(of)), options_(std::move(options)) {
  check_costs(options_.costs);
  for (const std::string& cost : options_.costs) {
    costs_.push_back(operation_cost(Json(cost).get<CostMeasure>(), options_.table, options_.space));
  }
}

std::vector<Objective> CostedEvaluator::objectives() const {
  std::vector<Objective> all = of_->objectives();
  for (const std::string& cost : options_.costs) {
    all.push_back({cost, Direction::Minimise});
  }
  return all;
}

Evaluation CostedEvaluator::evaluate(const Trial& trial) {
  Evaluation evaluation = of_->evaluate(trial);
  add_costs(evaluation, *trial.model);
  return evaluation;
}

std::optional<std::vector<Evaluation>> CostedEvaluator::evaluate_merged(
    std::span<const Trial> trials) {
  auto evaluations = of_->evaluate_merged(trials);
  for (size_t i = 0; evaluations && i < evaluations->size(); ++i) {
    add_costs(evaluations->at(i), *trials[i].model);
  }
  return evaluations;
}

void CostedEvaluator::add_costs(Evaluation& evaluation, const ir::Graph& model) const {
  if (evaluation.status == TrialStatus::Succeeded) {
    for (const ir::OperationCost& cost : costs_) {
      evaluation.objectives.push_back(ir::total_cost(model, cost));
    }
  }
}

Json CostedEvaluator::to_json() const {
  Json options = options_;
  options["of"] = of_->to_json();
  return {{"name", kName}, {"options", options}};
}

}  // namespace retia
