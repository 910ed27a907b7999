#include "retia/engine/symbolic/channels.h"

namespace retia::ir {
namespace {

std::vector<Expression> terms(const Expression& sum) {
  const Json json = sum;
  if (!json.is_object() || json.value("op", "") != "++") {
    return {sum};
  }
  std::vector<Expression> all;
  for (const auto& operand : json.at("operands").get<std::vector<Expression>>()) {
    const std::vector<Expression> inner = terms(operand);
    all.insert(all.end(), inner.begin(), inner.end());
  }
  return all;
}

}  // namespace

Dim joined(const Dim& a, const Dim& b) {
  return Expression::apply("++", {a.expression(), b.expression()});
}

std::vector<Dim> parts(const Dim& dim) {
  std::vector<Dim> result;
  for (const Expression& term : terms(dim.expression())) {
    if (Dim(term) == Dim(0)) {
      continue;
    }
    if (!result.empty() && result.back().decided() && term.decided()) {
      result.back() = result.back() + Dim(term);
    } else {
      result.emplace_back(term);
    }
  }
  return result.empty() ? std::vector<Dim>{0} : result;
}

bool same_parts(const Dim& a, const Dim& b) { return always_equal(parts(a), parts(b)); }

Dim settled(const Dim& dim) {
  if (dim.decided()) {
    return dim;
  }
  const int64_t least = dim.min();
  return least == dim.max() ? Dim(least) : dim;
}

}  // namespace retia::ir
