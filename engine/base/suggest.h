#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace retia {

/// Returns the end of an error message about an unknown name: "; did you mean 'darts_cnn'?" when a
/// known name is a few typing errors away (ignoring case, '-' and '_'), else "; known: a, b, c"
/// (sorted, the first twelve), or "" when `known` is empty.
std::string suggestion(std::string_view given, const std::vector<std::string>& known);

}  // namespace retia
