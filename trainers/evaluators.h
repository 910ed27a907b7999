#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <functional>
#include <memory>
#include <string>

#include "retia/engine/executor/passes.h"
#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/io/factory_table.h"
#include "retia/trainers/data/data_sets.h"

namespace retia {

/// The surroundings that an evaluator is given in addition to its options.
struct EvaluatorContext {
  DataSets data_sets = standard_data_sets();  ///< table from which an evaluator loads its data
  at::Device device = at::kCPU;               ///< device on which models run
  at::ScalarType dtype = at::kFloat;          ///< dtype in which models compute (see precision.h)
  Executor executor = Executor::Fused;        ///< executor of the models' graphs
  /// Returns the name of a canonical architecture in tables of scores; null: the space has no
  /// names.
  std::function<std::string(const Architecture&)> key = nullptr;
};

/// The table of evaluators. Factories take (options, context).
using EvaluatorTable = FactoryTable<std::unique_ptr<Evaluator>, const EvaluatorContext&>;

/// Makes the evaluator that Evaluator::to_json described, including nested evaluators. Where
/// options are value choices, each trial decides them by its architecture (see SearchedEvaluator).
std::unique_ptr<Evaluator> evaluator_from_json(const EvaluatorTable& table, const Json& json,
                                               const EvaluatorContext& context);

/// Returns a table of the built-in evaluators.
EvaluatorTable standard_evaluators();

}  // namespace retia
