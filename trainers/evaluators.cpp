#include "trainers/evaluators.h"

#include "trainers/evaluators/classification.h"

namespace retia {

std::unique_ptr<Evaluator> evaluator_from_json(const EvaluatorTable& table, const Json& json) {
  check_options(json, {{"name", ""}, {"options", Json::object()}}, "evaluator");
  TORCH_CHECK(json.contains("name"), "evaluator: expected a \"name\"",
              suggestion("", table.names()));
  return table.make(json["name"], json.value("options", Json::object()));
}

EvaluatorTable standard_evaluators(const DataSets& data_sets, at::Device device,
                                   at::ScalarType dtype) {
  EvaluatorTable table("evaluator");
  table.add<ClassificationOptions>("classification", [=](const ClassificationOptions& options) {
    return std::make_unique<ClassificationEvaluator>(options, data_sets, device, dtype);
  });
  return table;
}

}  // namespace retia
