#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace retia {

/// How an error about an unknown name ends: "; did you mean 'darts_cnn'?" when one of the known
/// names is a few typing errors away (letter case, '-' and '_' aside), else "; known: a, b, c"
/// (sorted, the first twelve), and nothing when no name is known.
std::string suggestion(std::string_view given, const std::vector<std::string>& known);

}  // namespace retia
