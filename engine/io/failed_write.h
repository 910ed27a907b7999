#pragma once

#include <string>

namespace retia {

/// What the system says of a write that failed with this errno, and what to do about it.
std::string reason_and_remedy(int failure);

}  // namespace retia
