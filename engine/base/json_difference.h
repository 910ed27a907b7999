#pragma once

#include <string>
#include <vector>

#include "retia/engine/base/json.h"

namespace retia {

/// An entry that two JSON objects have otherwise.
struct JsonChange {
  std::string key;         ///< path with dots: "trainer.epochs"
  Json was = nullptr;      ///< value in the first object; null where it has none
  Json is = nullptr;       ///< value in the second object; null where it has none
  bool is_in_both = true;  ///< whether both have the entry
  friend bool operator==(const JsonChange&, const JsonChange&) = default;
};

/// Returns the entries in which two objects differ, in the order of their keys; objects within are
/// entered, lists are compared as a whole.
std::vector<JsonChange> changes_between(const Json& before, const Json& now);

/// Returns "trainer.epochs was 3 and is 5 now"; a missing value is "not given".
std::string to_string(const JsonChange& change);

}  // namespace retia
