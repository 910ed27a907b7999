#pragma once

#include <cstdint>

namespace retia::kernels {

/// Runs bodies one after another, so that the code of GPUs is tested where there is none.
struct InOrder {
  template <class scalar_t>
  using Stored = scalar_t;

  template <class Body>
  static void each(const Body& body, int64_t n) {
    for (int64_t i = 0; i < n; ++i) {
      body(static_cast<int>(i));
    }
  }
};

struct InReverse {
  template <class scalar_t>
  using Stored = scalar_t;

  template <class Body>
  static void each(const Body& body, int64_t n) {
    for (int64_t i = n - 1; i >= 0; --i) {
      body(static_cast<int>(i));
    }
  }
};

}  // namespace retia::kernels
