#pragma once

#include "retia/engine/base/json.h"

namespace retia::ir {

/// The way in which an input choice joins the chosen inputs. None: a list, possible only for an
/// InputChoice module used on its own, outside a graph.
enum class Reduction { Sum, Mean, Concat, None };

NLOHMANN_JSON_SERIALIZE_ENUM(Reduction, {{Reduction::Sum, "sum"},
                                         {Reduction::Mean, "mean"},
                                         {Reduction::Concat, "concat"},
                                         {Reduction::None, "none"}})

}  // namespace retia::ir

namespace retia {
using ir::Reduction;
}
