#pragma once

namespace retia {

/// Returns the peak resident memory of this process, in MiB (2^20 bytes), since the last call or
/// since the process began. Where the system cannot reset its counter: always since the beginning.
double take_peak_memory();

}  // namespace retia
