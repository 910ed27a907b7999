#include "trainers/evaluators.h"

#include "trainers/evaluators/classification.h"

namespace retia {

std::unique_ptr<Evaluator> EvaluatorTable::make(const std::string& name,
                                                const Json& options) const {
  return entry(name).make(options);
}

std::unique_ptr<Evaluator> EvaluatorTable::from_json(const Json& json) const {
  check_options(json, {{"name", ""}, {"options", Json::object()}}, "evaluator");
  TORCH_CHECK(json.contains("name"), "evaluator: expected a \"name\"", suggestion("", names()));
  return make(json["name"], json.value("options", Json::object()));
}

const Json& EvaluatorTable::defaults(const std::string& name) const { return entry(name).defaults; }

std::vector<std::string> EvaluatorTable::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    names.push_back(name);
  }
  return names;
}

const EvaluatorTable::Entry& EvaluatorTable::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  TORCH_CHECK(found != entries_.end(), "unknown evaluator '", name, "'", suggestion(name, names()));
  return found->second;
}

EvaluatorTable standard_evaluators(const DataSets& data_sets, at::Device device,
                                   at::ScalarType dtype) {
  EvaluatorTable table;
  table.add<ClassificationOptions>("classification", [=](const ClassificationOptions& options) {
    return std::make_unique<ClassificationEvaluator>(options, data_sets, device, dtype);
  });
  return table;
}

}  // namespace retia
