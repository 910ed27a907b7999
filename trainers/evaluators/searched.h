#pragma once

#include <map>
#include <memory>

#include "trainers/evaluators.h"

namespace retia {

/// Another evaluator some of whose options are choices (see ir::Setting), decided for each trial by
/// its architecture. Objectives are those that it has with the first candidates; no choice may
/// change them.
class SearchedEvaluator final : public Evaluator {
 public:
  /// options: of the evaluator `name` in `table`, with a choice in them. Throws, naming the option,
  /// where a candidate is not of its type.
  SearchedEvaluator(const EvaluatorTable& table, std::string name, Json options,
                    EvaluatorContext context);

  std::vector<Objective> objectives() const override { return objectives_; }
  bool reads_model() const override { return reads_model_; }
  Evaluation evaluate(const ir::Graph& model, const Trial& trial) override;
  /// Trials of equal options at once.
  std::vector<Evaluation> evaluate_merged(std::span<const ir::Graph> models,
                                          std::span<const Trial> trials) override;
  /// As of the other evaluator, its options with the choices.
  Json to_json() const override { return {{"name", name_}, {"options", options_}}; }

 private:
  /// What the options become in a trial of `architecture`.
  Json decided(const Architecture& architecture) const;
  /// The evaluator of those options, made when it is first asked for.
  Evaluator& with(const Json& options);

  EvaluatorTable table_;
  std::string name_;
  Json options_;
  EvaluatorContext context_;
  std::map<std::string, std::unique_ptr<Evaluator>> made_;  // by their options
  std::vector<Objective> objectives_;
  bool reads_model_ = true;
};

}  // namespace retia
