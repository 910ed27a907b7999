#pragma once

#include <string>

namespace retia {

/// Returns the system's reason for a failed write, given its errno, and a remedy.
std::string reason_and_remedy(int failure);

}  // namespace retia
