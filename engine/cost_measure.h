#pragma once

#include <string>

#include "engine/ir/expected_cost.h"
#include "engine/json.h"

namespace retia {

/// What of a model is counted.
enum class CostMeasure { None, MultiplyAdds, Parameters, Latency };

NLOHMANN_JSON_SERIALIZE_ENUM(CostMeasure, {{CostMeasure::None, "none"},
                                           {CostMeasure::MultiplyAdds, "multiply_adds"},
                                           {CostMeasure::Parameters, "parameters"},
                                           {CostMeasure::Latency, "latency"}})

/// How a primitive is counted: for one sample; latency in milliseconds of a batch, from a file of a
/// LatencyTable. Throws where that cannot be read; what it returns throws, naming the operation and
/// the command that measures it, where the file lacks one. space: named in that command.
ir::OperationCost operation_cost(CostMeasure measure, const std::string& table,
                                 const std::string& space);

}  // namespace retia
