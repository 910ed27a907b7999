#pragma once

#include <memory>

#include "engine/evaluator.h"

namespace retia {

/// Another evaluator's objectives, and what a model costs: `multiply_adds` and `parameters`, for
/// one sample, to be minimised.
class CostedEvaluator final : public Evaluator {
 public:
  static constexpr const char* kName = "costed";

  /// costs: names of the above, one at least, each once.
  CostedEvaluator(std::unique_ptr<Evaluator> of, std::vector<std::string> costs);

  std::vector<Objective> objectives() const override;
  Evaluation evaluate(const ir::Graph& model, const Trial& trial) override;
  std::vector<Evaluation> evaluate_merged(std::span<const ir::Graph> models,
                                          std::span<const Trial> trials) override;
  Json to_json() const override;

 private:
  void add_costs(Evaluation& evaluation, const ir::Graph& model) const;

  std::unique_ptr<Evaluator> of_;
  std::vector<std::string> costs_;
};

/// Throws, naming the nearest, unless each is the name of a cost, and there once.
void check_costs(const std::vector<std::string>& costs);

}  // namespace retia
