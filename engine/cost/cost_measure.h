#pragma once

#include <string>

#include "retia/engine/base/json.h"
#include "retia/engine/cost/expected_cost.h"

namespace retia {

/// The kind of cost by which models are compared or limited.
enum class CostMeasure { None, MultiplyAdds, Parameters, Latency };

NLOHMANN_JSON_SERIALIZE_ENUM(CostMeasure, {{CostMeasure::None, "none"},
                                           {CostMeasure::MultiplyAdds, "multiply_adds"},
                                           {CostMeasure::Parameters, "parameters"},
                                           {CostMeasure::Latency, "latency"}})

/// Returns the function that gives the cost of one primitive: multiply-adds or parameters for one
/// sample, or latency in milliseconds of a batch, read from `table`, a file of a LatencyTable.
/// Throws where the file cannot be read. The returned function throws where the table lacks an
/// operation; the message names the operation and the command that measures it, for the space named
/// `space`.
ir::OperationCost operation_cost(CostMeasure measure, const std::string& table,
                                 const std::string& space);

}  // namespace retia
