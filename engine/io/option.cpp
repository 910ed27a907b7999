#include "retia/engine/io/option.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>

#include "retia/engine/suggest.h"

namespace retia {
namespace {

using nlohmann::json;

/// Writes a bound as a person would: 1000000, not 1e+06.
std::string written(double bound) {
  constexpr double kMostDigits = 1e15;
  const bool is_whole = bound == std::floor(bound) && std::abs(bound) < kMostDigits;
  return is_whole ? std::to_string(static_cast<int64_t>(bound)) : c10::str(bound);
}

std::string written(const Range& range) {
  if (std::isinf(range.most)) {
    return std::isinf(range.least) ? "" : "from " + written(range.least);
  }
  return (std::isinf(range.least) ? "" : written(range.least) + " ") + "to " + written(range.most);
}

}  // namespace

void check_value(const Option& option, const json& value, const std::string& label) {
  if (option.range && value.is_number()) {
    const auto [least, most] = *option.range;
    const auto number = value.get<double>();
    TORCH_CHECK(number >= least, label, " must be at least ", written(least), ", got ",
                value.dump());
    TORCH_CHECK(number <= most, label, " must be at most ", written(most), ", got ", value.dump());
  }
  if (option.names && !option.names->listed.empty() && value.is_string()) {
    const std::vector<std::string>& names = option.names->listed;
    const auto name = value.get<std::string>();
    TORCH_CHECK(std::find(names.begin(), names.end(), name) != names.end(), "unknown ", option.key,
                " '", name, "'", suggestion(name, names));
  }
}

void check_values(const std::vector<Option>& options, const std::string& where) {
  for (const Option& option : options) {
    const std::string label = where + (where.empty() ? "" : ".") + option.key;
    check_value(option, option.value, label);
    check_values(option.inner, label);
  }
}

std::vector<Option> listed(const json& defaults) {
  std::vector<Option> options;
  for (const auto& [key, value] : defaults.items()) {
    options.push_back({.key = key, .value = value});
  }
  return options;
}

std::string limits_of(const Option& option) {
  std::string text;
  const auto add = [&text](const std::string& part) {
    text += (text.empty() || part.empty() ? "" : "; ") + part;
  };
  if (option.range) {
    add(written(*option.range));
  }
  if (option.names) {
    std::string names;
    for (const std::string& name : option.names->listed) {
      names += (names.empty() ? "" : ", ") + name;
    }
    add(names);
  }
  const bool is_flag = option.value == false;
  const bool is_unset = option.value.is_null() || option.value == "";
  if (!is_flag && !is_unset) {
    add("default " +
        (option.value.is_string() ? option.value.get<std::string>() : option.value.dump()));
  }
  return text.empty() ? "" : "(" + text + ")";
}

}  // namespace retia
