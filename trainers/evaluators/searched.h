#pragma once

#include <map>
#include <memory>

#include "retia/trainers/evaluators.h"

namespace retia {

/// An evaluator some of whose options are value choices (see ir::Setting), decided for each trial
/// by its architecture. Its objectives are those with the first candidates; no choice may change
/// them.
class SearchedEvaluator final : public Evaluator {
 public:
  /// `options`: options of the evaluator `name` in `table`, including a choice. Throws, naming the
  /// option, where a candidate has the wrong type or is out of range.
  SearchedEvaluator(const EvaluatorTable& table, std::string name, Json options,
                    EvaluatorContext context);

  std::vector<Objective> objectives() const override { return objectives_; }
  bool reads_model() const override { return reads_model_; }
  Evaluation evaluate(const Trial& trial) override;
  /// Scores trials with equal options together where they can be merged, the others one by one.
  std::optional<std::vector<Evaluation>> evaluate_merged(std::span<const Trial> trials) override;
  /// Returns name and options of the evaluator, including the choices.
  Json to_json() const override { return {{"name", name_}, {"options", options_}}; }

 private:
  /// Returns the options for a trial of `architecture`.
  Json decided(const Architecture& architecture) const;
  /// Returns the evaluator with these options, made at first use.
  Evaluator& with(const Json& options);

  EvaluatorTable table_;
  std::string name_;
  Json options_;
  EvaluatorContext context_;
  std::map<std::string, std::unique_ptr<Evaluator>> made_;  // key: the options as text
  std::vector<Objective> objectives_;
  bool reads_model_ = true;
};

}  // namespace retia
