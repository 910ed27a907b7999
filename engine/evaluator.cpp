#include "engine/evaluator.h"

namespace retia {

std::vector<Evaluation> Evaluator::evaluate_merged(std::span<const ir::Graph> models,
                                                   std::span<const Trial> trials) {
  std::vector<Evaluation> evaluations;
  for (size_t i = 0; i < models.size(); ++i) {
    evaluations.push_back(evaluate(models[i], trials[i]));
  }
  return evaluations;
}

}  // namespace retia
