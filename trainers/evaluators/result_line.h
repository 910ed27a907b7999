#pragma once

#include <string>

#include "retia/engine/base/json.h"

namespace retia {

/// Reads a line that a command printed, in JSON or in JSON as Python and C write its numbers: NaN,
/// Infinity, -inf, `.93`, `5.` and `+0.5` are numbers too. A number that is not finite is a floating
/// value of the result, which JSON itself lacks: in a list, in an object, or in an object or list
/// inside one. Returns a discarded value (see Json::is_discarded) where the line is neither.
Json read_result_line(const std::string& line);

}  // namespace retia
