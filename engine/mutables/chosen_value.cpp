#include "retia/engine/mutables/chosen_value.h"

#include <algorithm>

#include "retia/engine/mutables/base_mutator.h"

namespace retia {
namespace {

Mutable describe(const std::vector<Json>& values, std::string label) {
  TORCH_CHECK(!values.empty(), "value choice '", label, "' needs at least one value");
  Mutable info{.label = std::move(label), .kind = MutableKind::ValueChoice};
  for (const Json& value : values) {
    TORCH_CHECK(value.is_primitive() && !value.is_null(), "value choice '", info.label,
                "': expected numbers, bools or texts, got ", value.dump());
    TORCH_CHECK(std::count(values.begin(), values.end(), value) == 1, "value choice '", info.label,
                "' has ", value.dump(), " twice");
    info.names.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  }
  return info;
}

}  // namespace

ChosenValueImpl::ChosenValueImpl(std::vector<Json> values, std::string label)
    : MutableModule(describe(values, std::move(label))), values_(std::move(values)) {}

const Json& ChosenValueImpl::value() const {
  const Verdict* verdict = mutator().verdict(info());
  TORCH_CHECK(verdict != nullptr && !verdict->gates.defined(), "value choice '", info().label,
              "': its mutator cannot tell which value it chose: override verdict()");
  TORCH_CHECK(verdict->chosen.size() == 1, "value choice '", info().label, "' has ",
              verdict->chosen.size(),
              " chosen values, and a blend of values is none: use an algorithm that samples paths");
  return values_[static_cast<size_t>(verdict->chosen.front())];
}

}  // namespace retia
