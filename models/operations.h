#pragma once

#include "engine/operations/table.h"

namespace retia {

/// Adds the composites of models/ops, so that graphs made of them read back from JSON.
void add_model_operations(OperationTable& table);

}  // namespace retia
