#include "trainers/evaluators/costed.h"

#include <algorithm>

#include "engine/ir/profile.h"
#include "engine/suggest.h"

namespace retia {
namespace {

constexpr const char* kMultiplyAdds = "multiply_adds";
constexpr const char* kParameters = "parameters";

}  // namespace

void check_costs(const std::vector<std::string>& costs) {
  for (const std::string& cost : costs) {
    TORCH_CHECK(cost == kMultiplyAdds || cost == kParameters, "unknown cost '", cost, "'",
                suggestion(cost, {kMultiplyAdds, kParameters}));
    TORCH_CHECK(std::count(costs.begin(), costs.end(), cost) == 1, "the cost '", cost,
                "' is given twice");
  }
}

CostedEvaluator::CostedEvaluator(std::unique_ptr<Evaluator> of, std::vector<std::string> costs)
    : of_(std::move(of)), costs_(std::move(costs)) {
  check_costs(costs_);
}

std::vector<Objective> CostedEvaluator::objectives() const {
  std::vector<Objective> all = of_->objectives();
  for (const std::string& cost : costs_) {
    all.push_back({cost, Direction::Minimise});
  }
  return all;
}

Evaluation CostedEvaluator::evaluate(const ir::Graph& model, const Trial& trial) {
  Evaluation evaluation = of_->evaluate(model, trial);
  add_costs(evaluation, model);
  return evaluation;
}

std::vector<Evaluation> CostedEvaluator::evaluate_merged(std::span<const ir::Graph> models,
                                                         std::span<const Trial> trials) {
  std::vector<Evaluation> evaluations = of_->evaluate_merged(models, trials);
  for (size_t i = 0; i < models.size(); ++i) {
    add_costs(evaluations[i], models[i]);
  }
  return evaluations;
}

void CostedEvaluator::add_costs(Evaluation& evaluation, const ir::Graph& model) const {
  if (evaluation.status != TrialStatus::Succeeded) {
    return;
  }
  const ir::Cost total = ir::total_cost(model);
  for (const std::string& cost : costs_) {
    const Dim& amount = cost == kMultiplyAdds ? total.multiply_adds : total.parameters;
    evaluation.objectives.push_back(static_cast<double>(amount.value()));
  }
}

Json CostedEvaluator::to_json() const {
  return {{"name", kName}, {"options", {{"of", of_->to_json()}, {"costs", costs_}}}};
}

}  // namespace retia
