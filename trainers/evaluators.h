#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/evaluator.h"
#include "engine/factory_table.h"
#include "trainers/data/data_sets.h"

namespace retia {

/// Makers take (options).
using EvaluatorTable = FactoryTable<std::unique_ptr<Evaluator>>;

/// The evaluator that Evaluator::to_json described.
std::unique_ptr<Evaluator> evaluator_from_json(const EvaluatorTable& table, const Json& json);

/// classification. Data comes from `data_sets`; models run on `device` in `dtype`.
EvaluatorTable standard_evaluators(const DataSets& data_sets, at::Device device = at::kCPU,
                                   at::ScalarType dtype = at::kFloat);

}  // namespace retia
