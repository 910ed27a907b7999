#include "engine/ir/parameter.h"

#include <algorithm>

namespace retia::ir {

std::string to_string(const Shape& shape) {
  std::string text;
  for (const Dim& dim : shape) {
    text += (text.empty() ? "" : ", ") + dim.to_string();
  }
  return "[" + text + "]";
}

bool always_equal(const Shape& a, const Shape& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Dim& x, const Dim& y) {
    return always_equal(x.expression(), y.expression());
  });
}

}  // namespace retia::ir
