#include "retia/engine/symbolic/parameter.h"

#include <algorithm>

namespace retia::ir {
namespace {

constexpr size_t kLongestSize = 80;  // characters: a message stays one that can be read

}  // namespace

std::string to_string(const Shape& shape) {
  std::string text;
  for (const Dim& dim : shape) {
    std::string size = dim.to_string();
    if (size.size() > kLongestSize) {
      size.resize(kLongestSize);
      size += "…";
    }
    text += text.empty() ? "" : ", ";
    text += size;
  }
  return "[" + text + "]";
}

Shape at(Shape shape, const Architecture& architecture) {
  for (Dim& dim : shape) {
    dim = dim.at(architecture);
  }
  return shape;
}

bool always_equal(const Shape& a, const Shape& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Dim& x, const Dim& y) {
    return always_equal(x.expression(), y.expression());
  });
}

}  // namespace retia::ir
