#pragma once

#include <c10/util/Exception.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "retia/engine/base/suggest.h"

namespace retia {

/// A table from names that users can give, such as those of algorithms, to values. The table is
/// passed as an argument; nothing is registered globally.
template <class Value>
class NamedTable {
 public:
  /// Makes an empty table. `what` names its entries in messages: "algorithm".
  explicit NamedTable(std::string what) : what_(std::move(what)) {}

  /// Adds an entry. Throws where the name is taken.
  void add(const std::string& name, Value value) {
    TORCH_CHECK(entries_.emplace(name, std::move(value)).second, what_, " '", name,
                "' is in the table already: give the new one another name");
  }

  /// Returns the entry `name`. Throws, naming the nearest one, where there is none.
  const Value& at(const std::string& name) const {
    const auto found = entries_.find(name);
    TORCH_CHECK(found != entries_.end(), "unknown ", what_, " '", name, "'",
                suggestion(name, names()));
    return found->second;
  }

  /// Returns all names in alphabetical order.
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [name, value] : entries_) {
      names.push_back(name);
    }
    return names;
  }

  /// Returns the word for an entry in messages.
  const std::string& what() const { return what_; }

 private:
  std::string what_;
  std::map<std::string, Value> entries_;
};

}  // namespace retia
