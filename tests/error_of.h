#pragma once

#include <c10/util/Exception.h>

#include <functional>
#include <string>

namespace retia {

/// The message of the error that `action` throws.
inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  return "(no error)";
}

}  // namespace retia
