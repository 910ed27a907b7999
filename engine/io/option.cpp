#include "retia/engine/io/option.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cmath>

#include "retia/engine/base/suggest.h"

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
  std::string text;
  if (!std::isinf(range.least)) {
    const bool is_alone = std::isinf(range.most);
    text = (range.least_is_open ? "above " : is_alone ? "from " : "") + written(range.least);
  }
  if (!std::isinf(range.most)) {
    text += text.empty() ? "" : range.least_is_open ? " and " : " to ";
    text += (range.most_is_open ? "below " : text.empty() ? "to " : "") + written(range.most);
  }
  return text;
}

void check_range(const Range& range, const json& value, const std::string& label) {
  const auto number = value.get<double>();
  TORCH_CHECK(range.least_is_open ? number > range.least : number >= range.least, label,
              range.least_is_open ? " must be above " : " must be at least ", written(range.least),
              ", got ", value.dump());
  TORCH_CHECK(range.most_is_open ? number < range.most : number <= range.most, label,
              range.most_is_open ? " must be below " : " must be at most ", written(range.most),
              ", got ", value.dump());
}

}  // namespace

void check_value(const Option& option, const json& value, const std::string& label) {
  if (option.range && value.is_number()) {
    check_range(*option.range, value, label);
  }
  if (option.range && value.is_array()) {
    for (size_t i = 0; i < value.size(); ++i) {
      if (value[i].is_number()) {
        check_range(*option.range, value[i], label + "." + std::to_string(i));
      }
    }
  }
  if (option.names && !option.names->listed.empty() && value.is_string()) {
    const std::vector<std::string>& names = option.names->listed;
    const auto name = value.get<std::string>();
    TORCH_CHECK(std::find(names.begin(), names.end(), name) != names.end(), label, ": unknown ",
                option.key, " '", name, "'", suggestion(name, names));
  }
}

void check_values(const std::vector<Option>& options, const std::string& where) {
  for (const Option& option : options) {
    const std::string label = where + (where.empty() ? "" : ".") + option.key;
    check_value(option, option.value, label);
    check_values(option.inner, label);
  }
}

void check_given(const std::vector<Option>& options, const json& given, const std::string& where) {
  for (const Option& option : options) {
    if (const auto found = given.find(option.key); found != given.end()) {
      const std::string label = where + (where.empty() ? "" : ".") + option.key;
      check_value(option, *found, label);
      check_given(option.inner, *found, label);
    }
  }
}

std::vector<Option> joined(std::vector<Option> options, const std::vector<Option>& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
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
