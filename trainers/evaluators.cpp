#include "retia/trainers/evaluators.h"

#include "retia/engine/space/setting.h"
#include "retia/trainers/evaluators/classification.h"
#include "retia/trainers/evaluators/command.h"
#include "retia/trainers/evaluators/costed.h"
#include "retia/trainers/evaluators/regression.h"
#include "retia/trainers/evaluators/searched.h"
#include "retia/trainers/evaluators/table.h"

namespace retia {
namespace {

std::unique_ptr<Evaluator> make_classification(const ClassificationOptions& options,
                                               const EvaluatorContext& context) {
  return std::make_unique<ClassificationEvaluator>(options, context.data_sets, context.device,
                                                   context.dtype, context.executor);
}

std::unique_ptr<Evaluator> make_command(const CommandOptions& options, const EvaluatorContext&) {
  return std::make_unique<CommandEvaluator>(options);
}

std::unique_ptr<Evaluator> make_regression(const RegressionOptions& options,
                                           const EvaluatorContext& context) {
  return std::make_unique<RegressionEvaluator>(options, context.data_sets, context.device,
                                               context.dtype, context.executor);
}

std::unique_ptr<Evaluator> make_table(const TableOptions& options,
                                      const EvaluatorContext& context) {
  return std::make_unique<TableEvaluator>(options, context.key);
}

}  // namespace

std::unique_ptr<Evaluator> evaluator_from_json(const EvaluatorTable& table, const Json& json,
                                               const EvaluatorContext& context) {
  check_options(json, {{"name", ""}, {"options", Json::object()}}, "evaluator");
  TORCH_CHECK(json.contains("name"), "evaluator: expected a \"name\"",
              suggestion("", table.names()));
  const Json options = json.value("options", Json::object());
  if (json["name"] == CostedEvaluator::kName) {
    Json costs = options;
    costs.erase("of");
    return std::make_unique<CostedEvaluator>(
        evaluator_from_json(table, options.value("of", Json::object()), context),
        options_from_json<CostsOptions>(costs, "evaluator 'costed'"));
  }
  if (!ir::settings_in(options, "evaluator").empty()) {
    return std::make_unique<SearchedEvaluator>(table, json["name"], options, context);
  }
  return table.make(json["name"], options, context);
}

EvaluatorTable standard_evaluators() {
  EvaluatorTable table("evaluator");
  table.add("classification", make_classification);
  table.add("command", make_command);
  table.add("regression", make_regression);
  table.add("table", make_table);
  return table;
}

}  // namespace retia
