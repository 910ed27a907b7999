#pragma once

namespace retia {

/// The most memory, in megabytes, that this process had in RAM since the last call, or since it
/// began. Where the system does not let it begin anew: since it began.
double take_peak_memory();

}  // namespace retia
