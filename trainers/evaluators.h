#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <functional>
#include <memory>
#include <string>

#include "engine/evaluator.h"
#include "engine/executor/routine.h"
#include "engine/factory_table.h"
#include "trainers/data/data_sets.h"

namespace retia {

/// What an evaluator is given beside its options.
struct EvaluatorContext {
  DataSets data_sets = standard_data_sets();
  at::Device device = at::kCPU;       ///< where models run
  at::ScalarType dtype = at::kFloat;  ///< what they compute in (see precision.h)
  Executor executor = Executor::Fused;
  /// The name of a canonical architecture in tables of scores; null: the space makes none.
  std::function<std::string(const Architecture&)> key = nullptr;
};

/// Makers take (options, context).
using EvaluatorTable = FactoryTable<std::unique_ptr<Evaluator>, const EvaluatorContext&>;

/// The evaluator that Evaluator::to_json described, with those inside it. Where some of its options
/// are choices, each trial has them as its architecture decides (see SearchedEvaluator).
std::unique_ptr<Evaluator> evaluator_from_json(const EvaluatorTable& table, const Json& json,
                                               const EvaluatorContext& context);

/// classification, command, regression, table.
EvaluatorTable standard_evaluators();

}  // namespace retia
