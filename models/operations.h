#pragma once

#include "retia/engine/operations/table.h"

namespace retia {

/// Adds the composites of models/ops to `table`, so that graphs which use them can be read from
/// JSON.
void add_model_operations(OperationTable& table);

}  // namespace retia
