#pragma once

#include <nlohmann/json.hpp>

namespace retia {

/// JSON values as they stand in graphs, configurations and files.
using Json = nlohmann::json;

}  // namespace retia
