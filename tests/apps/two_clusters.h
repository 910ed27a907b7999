#pragma once

#include <string>

#include "retia/tests/apps/program_runs.h"

namespace retia {

/// A table `a,b,class`: class 0 lies about (0, 1), class 1 about (10, 11), in an order of `classes`.
inline std::string clusters(const std::vector<int>& classes) {
  std::string text = "a,b,class\n";
  for (size_t i = 0; i < classes.size(); ++i) {
    const int center = 10 * classes[i];
    const auto spread = static_cast<int>(i % 5);
    text += std::to_string(center) + '.' + std::to_string(spread) + ',' +
            std::to_string(center + 1) + '.' + std::to_string(4 - spread) + ',' +
            std::to_string(classes[i]) + '\n';
  }
  return text;
}

/// `n` rows whose classes take turns.
inline std::string two_clusters(size_t n) {
  std::vector<int> classes(n);
  for (size_t i = 0; i < n; ++i) {
    classes[i] = static_cast<int>(i % 2);
  }
  return clusters(classes);
}

/// A training of a small network on the table `data`.
inline Words on_table(const std::string& command, const std::string& data, const Words& more) {
  return joined(
      {command, "--space", "mlp", "--set", "space.widths=[8,16]", "--set", "space.layers=1",
       "--data", "csv", "--data-dir", data, "--batch-size", "32", "--threads", "1", "--quiet"},
      more);
}

}  // namespace retia
