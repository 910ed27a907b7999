#include "retia/trainers/evaluators/searched.h"

#include <algorithm>

#include "retia/engine/operations/operation.h"
#include "retia/engine/space/setting.h"

namespace retia {
namespace {

constexpr size_t kMostMade = 16;  // each may hold data

/// Returns the same data sets, each loaded once and then shared by all evaluators.
DataSets loaded_once(const DataSets& data_sets) {
  DataSets shared;
  for (const std::string& name : data_sets.names()) {
    const auto loaded = std::make_shared<std::map<std::string, DataSplits>>();
    shared.add(name, [data_sets, loaded](const DataOptions& options) {
      const std::string key = Json(options).dump();
      const auto found = loaded->find(key);
      return found != loaded->end() ? found->second
                                    : loaded->emplace(key, data_sets.load(options)).first->second;
    });
  }
  return shared;
}

/// Returns `options` with `value` in the place of the setting at `path`.
Json replaced(Json options, const std::string& path, const Json& value) {
  std::string pointer = path.substr(path.find('.'));
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  options[Json::json_pointer(pointer)] = value;
  return options;
}

bool are_equal(const std::vector<Objective>& a, const std::vector<Objective>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.name == y.name && x.direction == y.direction;
  });
}

}  // namespace

SearchedEvaluator::SearchedEvaluator(const EvaluatorTable& table, std::string name, Json options,
                                     EvaluatorContext context)
    : table_(table),
      name_(std::move(name)),
      options_(std::move(options)),
      context_(std::move(context)) {
  context_.data_sets = loaded_once(context_.data_sets);
  Architecture first;
  for (const ir::Setting& setting : ir::settings_in(options_, "evaluator")) {
    for (const Json& value : setting.value.options()) {
      const Json with_value = replaced(options_, setting.path, value);
      check_options(with_value, table_.defaults(name_), "evaluator");
      check_given(table_.options(name_), with_value, "evaluator");
    }
    for (const auto& [label, n_options] : setting.value.choices()) {
      first[label] = {{0}};
    }
  }
  const Evaluator& made = with(decided(first));
  objectives_ = made.objectives();
  reads_model_ = made.reads_model();
}

Json SearchedEvaluator::decided(const Architecture& architecture) const {
  ir::reached(options_, architecture);  // throws, naming it, where a choice is not decided
  return ir::decided(options_, architecture);
}

Evaluator& SearchedEvaluator::with(const Json& options) {
  const std::string key = options.dump();
  if (const auto found = made_.find(key); found != made_.end()) {
    return *found->second;
  }
  auto made = table_.make(name_, options, context_);
  TORCH_CHECK(objectives_.empty() || are_equal(made->objectives(), objectives_), "evaluator '",
              name_, "': a choice in its options changes its objectives");
  if (made_.size() >= kMostMade) {
    made_.clear();
  }
  return *made_.emplace(key, std::move(made)).first->second;
}

Evaluation SearchedEvaluator::evaluate(const Trial& trial) {
  return with(decided(trial.proposal.architecture)).evaluate(trial);
}

std::optional<std::vector<Evaluation>> SearchedEvaluator::evaluate_merged(
    std::span<const Trial> trials) {
  std::map<std::string, std::vector<size_t>> groups;  // of trials, by their options
  for (size_t i = 0; i < trials.size(); ++i) {
    groups[decided(trials[i].proposal.architecture).dump()].push_back(i);
  }
  std::vector<Evaluation> evaluations(trials.size());
  for (const auto& [options, members] : groups) {
    Evaluator& evaluator = with(Json::parse(options));
    std::vector<Trial> theirs;
    for (const size_t i : members) {
      theirs.push_back(trials[i]);
    }
    auto merged = try_evaluate_merged(evaluator, theirs);
    for (size_t k = 0; k < members.size(); ++k) {
      evaluations[members[k]] =
          merged ? std::move(merged->at(k)) : try_evaluate(evaluator, theirs[k]);
    }
  }
  return evaluations;
}

}  // namespace retia
