#pragma once

#include <nlohmann/json.hpp>

namespace retia {

/// The JSON type used for graphs, configurations and files.
using Json = nlohmann::json;

}  // namespace retia
