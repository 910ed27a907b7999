#pragma once

#include <functional>
#include <string>
#include <vector>

#include "retia/engine/base/json.h"
#include "retia/engine/base/named_table.h"
#include "retia/engine/io/options.h"

namespace retia {

/// A table name → factory, which makes a `Made` from JSON options and `Args`. A value that is
/// passed as an argument and extended by `add`; nothing is registered globally.
template <class Made, class... Args>
class FactoryTable {
 public:
  /// Makes an empty table. `what` names its entries in messages: "algorithm".
  explicit FactoryTable(std::string what) : entries_(std::move(what)) {}

  /// Adds `maker(options, args...)` under `name`. Options is an aggregate that reads from JSON.
  /// Throws where the name is taken.
  template <class Options>
  void add(const std::string& name, Made (*maker)(const Options&, Args...)) {
    add<Options>(name, std::function<Made(const Options&, Args...)>(maker));
  }
  /// Adds a maker that holds values of its own, e.g. a lambda.
  template <class Options>
  void add(const std::string& name, std::function<Made(const Options&, Args...)> maker) {
    const std::string where = entries_.what() + " '" + name + "'";
    entries_.add(name, {Json(Options{}), options_of<Options>(),
                        [where](const Json& given) {
                          const auto options = options_from_json<Options>(given, where);
                          if constexpr (requires { check_together(options); }) {
                            check_together(options);
                          }
                        },
                        [where, maker](const Json& options, Args... args) {
                          return maker(options_from_json<Options>(options, where), args...);
                        }});
  }

  /// Makes the entry `name` with `options`. Throws, naming the nearest known one, on an unknown
  /// name or option.
  Made make(const std::string& name, const Json& options, Args... args) const {
    return entries_.at(name).make(options, args...);
  }

  /// Throws what make would throw because of the options alone, naming the option. Options of which
  /// several must fit together have a function check_together(const Options&) that throws.
  void check(const std::string& name, const Json& options) const {
    entries_.at(name).check(options);
  }

  /// Returns the default options of `name`.
  const Json& defaults(const std::string& name) const { return entries_.at(name).defaults; }

  /// Returns the options of `name` as its struct declares or lists them, for help.
  const std::vector<Option>& options(const std::string& name) const {
    return entries_.at(name).options;
  }

  /// Returns all names in alphabetical order.
  std::vector<std::string> names() const { return entries_.names(); }

 private:
  struct Entry {
    Json defaults;
    std::vector<Option> options;
    std::function<void(const Json&)> check;
    std::function<Made(const Json&, Args...)> make;
  };

  NamedTable<Entry> entries_;
};

}  // namespace retia
