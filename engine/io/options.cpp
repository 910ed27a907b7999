#include "retia/engine/io/options.h"

#include <c10/util/Exception.h>

#include <vector>

#include "retia/engine/base/suggest.h"

namespace retia {
namespace {

using nlohmann::json;

bool is_symbolic(const json& value) {
  return value.is_object() && (value.contains("choice") || value.contains("op"));
}

bool is_scalar(const json& value) {
  return value.is_number() || value.is_boolean() || value.is_string();
}

std::string joined(std::string_view where, std::string_view key) {
  std::string path(where);
  return path.append(where.empty() ? "" : ".").append(key);
}

std::string kind(const json& value) {
  switch (value.type()) {
    case json::value_t::null:
      return "null";
    case json::value_t::boolean:
      return "true or false";
    case json::value_t::number_integer:
      return "an integer";
    case json::value_t::number_unsigned:
      return "an integer from 0";
    case json::value_t::number_float:
      return "a number";
    case json::value_t::string:
      return "a string";
    case json::value_t::array:
      return "a list";
    default:
      return "an object";
  }
}

std::string shown(const json& value) {
  constexpr size_t kMostCharacters = 60;
  const std::string text = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() <= kMostCharacters ? text : text.substr(0, kMostCharacters) + "...";
}

bool fits(const json& given, const json& fallback) {
  if (fallback.is_null() || is_symbolic(fallback) || (is_symbolic(given) && is_scalar(fallback))) {
    return true;
  }
  switch (fallback.type()) {
    case json::value_t::number_float:
      return given.is_number();
    case json::value_t::number_integer:
      return given.is_number_integer();
    case json::value_t::number_unsigned:
      return given.is_number_integer() && (given.is_number_unsigned() || given.get<int64_t>() >= 0);
    default:
      return given.type() == fallback.type();
  }
}

std::vector<std::string> keys(const json& object) {
  std::vector<std::string> result;
  for (const auto& [key, value] : object.items()) {
    result.push_back(key);
  }
  return result;
}

}  // namespace

void check_options(const json& given, const json& defaults, std::string_view where) {
  TORCH_CHECK(given.is_object(), where.empty() ? "configuration" : where,
              ": expected an object of options, but got ", shown(given));
  for (const auto& [key, value] : given.items()) {
    const auto known = defaults.find(key);
    TORCH_CHECK(known != defaults.end(), where, where.empty() ? "" : ": ", "unknown key '", key,
                "'", suggestion(key, keys(defaults)));
    TORCH_CHECK(fits(value, *known), joined(where, key), ": expected ", kind(*known),
                " (the default is ", shown(*known), "), but got ", shown(value));
    const bool nested = known->is_object() && !known->empty() && !is_symbolic(*known);
    if (nested) {
      check_options(value, *known, joined(where, key));
    }
  }
}

void check_kept(const json& given, const json& read, std::string_view where) {
  if (given.is_object() && read.is_object()) {
    for (const auto& [key, value] : given.items()) {
      if (const auto found = read.find(key); found != read.end()) {
        check_kept(value, *found, joined(where, key));
      }
    }
    return;
  }
  if (given.is_array() && read.is_array()) {
    TORCH_CHECK(given.size() == read.size(), where, ": expected a list of ", read.size(),
                " values, but got ", given.size(), ": ", shown(given));
    for (size_t i = 0; i < given.size(); ++i) {
      check_kept(given[i], read[i], joined(where, std::to_string(i)));
    }
    return;
  }
  if (given.is_number() && read.is_number_integer()) {
    // As text: comparing numbers, nlohmann::json takes 2^64 - 1 and -1 for equal.
    TORCH_CHECK(given.dump() == read.dump(), where, ": expected ", kind(read),
                " within the range of its field, but got ", shown(given));
  }
  if (given.is_string() && read.is_string()) {
    TORCH_CHECK(given == read, where, ": ", shown(given),
                " is none of the values this option takes (", shown(read), " is one)");
  }
}

void refuse_options(std::string_view where, std::string_view reason) {
  // Exceptions of nlohmann::json open with "[json.exception.type_error.302] ", which tells a user
  // nothing.
  const size_t end_of_tag =
      reason.rfind("[json.exception", 0) == 0 ? reason.find("] ") : reason.npos;
  TORCH_CHECK(false, where, ": cannot be read: ",
              end_of_tag == reason.npos ? reason : reason.substr(end_of_tag + 2));
}

void set_by_path(json& config, std::string_view assignment) {
  const size_t equals = assignment.find('=');
  TORCH_CHECK(equals != assignment.npos, "--set ", assignment,
              ": expected section.key=value, e.g. --set space.channels=16");
  const std::string_view path = assignment.substr(0, equals);
  const std::string value(assignment.substr(equals + 1));
  json* place = &config;
  size_t begin = 0;
  while (true) {
    const size_t dot = path.find('.', begin);
    const std::string key(path.substr(begin, dot == path.npos ? path.npos : dot - begin));
    TORCH_CHECK(!key.empty(), "--set ", assignment,
                ": expected section.key=value, but a name in the key is empty");
    TORCH_CHECK(place->is_object() || place->is_null(), "--set ", assignment, ": '",
                path.substr(0, begin == 0 ? 0 : begin - 1), "' is ", shown(*place),
                ", which holds no keys");
    place = &(*place)[key];
    if (dot == path.npos) {
      break;
    }
    begin = dot + 1;
  }
  json parsed = json::parse(value, nullptr, false);
  *place = parsed.is_discarded() ? json(value) : std::move(parsed);
}

json merged(json defaults, const json& over) {
  if (!defaults.is_object() || !over.is_object() || is_symbolic(defaults) || is_symbolic(over)) {
    return over;
  }
  for (const auto& [key, value] : over.items()) {
    const auto found = defaults.find(key);
    defaults[key] = found == defaults.end() ? value : merged(*found, value);
  }
  return defaults;
}

}  // namespace retia
