#include "retia/engine/symbolic/formula.h"

namespace retia::ir {

Expression between(std::string label, int64_t least, int64_t most) {
  TORCH_CHECK(least <= most, "value choice '", label, "': expected a range, got ", least, " to ",
              most);
  std::vector<Expression> options;
  for (int64_t value = least; value <= most; ++value) {
    options.emplace_back(Json(value));
  }
  return Expression::choice(std::move(label), std::move(options));
}

}  // namespace retia::ir
