#include "retia/engine/base/json_difference.h"

namespace retia {
namespace {

constexpr size_t kLongestValue = 80;  // bytes of a value in a message

std::string shown(const Json& value) {
  const std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= kLongestValue ? text : text.substr(0, kLongestValue) + "…";
}

void add_changes(const Json& before, const Json& now, const std::string& path,
                 std::vector<JsonChange>& found) {
  Json keys = before;
  keys.update(now);
  for (const auto& [key, ignored] : keys.items()) {
    const bool was = before.contains(key), is = now.contains(key);
    if (was && is && before[key].is_object() && now[key].is_object()) {
      add_changes(before[key], now[key], path + key + ".", found);
    } else if (!was || !is || before[key] != now[key]) {
      found.push_back({path + key, was ? before[key] : Json(), is ? now[key] : Json(), was && is});
    }
  }
}

}  // namespace

std::vector<JsonChange> changes_between(const Json& before, const Json& now) {
  std::vector<JsonChange> found;
  add_changes(before, now, "", found);
  return found;
}

std::string to_string(const JsonChange& change) {
  const auto text = [&](const Json& value) {
    return value.is_null() && !change.is_in_both ? "not given" : shown(value);
  };
  return change.key + " was " + text(change.was) + " and is " + text(change.is) + " now";
}

}  // namespace retia
