#pragma once

#include <functional>
#include <string>

namespace retia {

/// Returns whether a failure (an errno) may pass by itself: too many processes or open files, or too
/// little memory, for now.
bool is_passing(int failure);

/// Calls `attempt`, which returns 0 or an errno, until its failure is none that passes, with pauses
/// that grow from 20 ms to 2 s; for `seconds` at most, and until `gives_up`. Returns what the last
/// call returned.
int patiently(const std::function<int()>& attempt, double seconds,
              const std::function<bool()>& gives_up = {});

/// The seconds for which the making of a process is tried again.
constexpr double kProcessPatience = 300;

/// Returns "no process can be made: <reason>", with a remedy where the failure is a passing one.
std::string no_process(int failure);

}  // namespace retia
