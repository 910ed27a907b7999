#pragma once

#include <concepts>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace retia {

/// The values that a number may have, or each number of a list: `Range{1, 100}`, `Range{0}` (from
/// 0), `Range::above(0)`. Both ends belong to the range, unless they are open.
struct Range {
  double least = -std::numeric_limits<double>::infinity();  ///< smallest value; -infinity: no bound
  double most = std::numeric_limits<double>::infinity();    ///< largest value; infinity: no bound
  bool least_is_open = false;                               ///< whether `least` itself is excluded
  bool most_is_open = false;                                ///< whether `most` itself is excluded

  /// Returns the range of all numbers above `least`.
  static Range above(double least) { return {.least = least, .least_is_open = true}; }
  /// Returns the range from `least` to below `most`.
  static Range from_to_below(double least, double most) {
    return {.least = least, .most = most, .most_is_open = true};
  }
  /// Returns the range of the numbers between `least` and `most`, both excluded.
  static Range between(double least, double most) {
    return {.least = least, .most = most, .least_is_open = true, .most_is_open = true};
  }
};

/// The names of which a text may be one. Exactly one of the members is set.
struct Names {
  std::vector<std::string> listed = {};  ///< all names, in the order of help
  std::string table = {};  ///< table of the program that has the names as entries, e.g. "space"
};

/// One option of a struct: all that JSON, checks, help and completion know of it.
struct Option {
  std::string key;           ///< in JSON
  nlohmann::json value;      ///< default, or the value of the field
  std::string meaning = {};  ///< in the field's words; empty: the struct only lists its names
  std::optional<Range> range = {};  ///< values of a number, or of each number of a list
  std::optional<Names> names = {};  ///< values of a text
  std::vector<Option> inner = {};   ///< options of a field that is a Declared struct itself
  std::function<void(const nlohmann::json&)> read = {};  ///< sets the field
  std::string flag = {};         ///< on the command line; empty: the key with '-' for '_'
  std::string placeholder = {};  ///< of the value in help: FILE, DIR; empty: by the type

  /// Returns this option with another name on the command line.
  Option called(std::string name) const {
    Option made = *this;
    made.flag = std::move(name);
    return made;
  }
  /// Returns this option with a placeholder of its value.
  Option taking(std::string what) const {
    Option made = *this;
    made.placeholder = std::move(what);
    return made;
  }
};

/// A struct whose options are declared, once, by a function beside it:
///   struct CountOptions {
///     int64_t depth = 3;
///     std::string order = "wide";
///   };
///   inline std::vector<Option> declared(CountOptions& o) {
///     return {option("depth", o.depth, Range{1, 100}, "layers to count"),
///             option("order", o.order, Names{{"wide", "deep"}}, "which nodes come first")};
///   }
/// It converts to and from JSON, and reading it checks ranges and names. Keys that JSON lacks keep
/// their values.
template <class Struct>
concept Declared = requires(Struct& fields) {
  { declared(fields) } -> std::same_as<std::vector<Option>>;
};

/// Returns the names that JSON has for the values of an enumeration, which count from 0.
template <class Enumeration>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  while (true) {
    // JSON gives a value without a name the name of the first.
    const nlohmann::json name = static_cast<Enumeration>(names.size());
    if (!names.empty() && name == names.front()) {
      return names;
    }
    names.push_back(name);
  }
}

/// Whether a field is a number, a bool included, or a list of these.
template <class Field>
inline constexpr bool kIsNumber = std::is_arithmetic_v<Field>;
template <class Number>
inline constexpr bool kIsNumber<std::vector<Number>> = kIsNumber<Number>;

/// Declares an option of any type, which `field` holds.
template <class Field>
Option option_in(Field& field, std::string key, std::string meaning) {
  Option made{.key = std::move(key), .value = field, .meaning = std::move(meaning)};
  made.read = [&field](const nlohmann::json& given) { given.get_to(field); };
  if constexpr (Declared<Field>) {
    made.inner = declared(field);
  }
  return made;
}

/// Declares an option that is no number, which `field` holds. The names of an enumeration are those
/// that it has in JSON.
template <class Field>
Option option(std::string key, Field& field, std::string meaning) {
  static_assert(!kIsNumber<Field> || std::is_same_v<Field, bool>, "a number needs a range");
  Option made = option_in(field, std::move(key), std::move(meaning));
  if constexpr (std::is_enum_v<Field>) {
    made.names = Names{names_of<Field>()};
  }
  return made;
}

/// Declares a number in `range`, or a list of numbers in `range`.
template <class Field>
Option option(std::string key, Field& field, const Range& range, std::string meaning) {
  static_assert(kIsNumber<Field>);
  Option made = option_in(field, std::move(key), std::move(meaning));
  made.range = range;
  return made;
}

/// Declares a text that is one of `names`.
template <class Field>
Option option(std::string key, Field& field, Names names, std::string meaning) {
  Option made = option_in(field, std::move(key), std::move(meaning));
  made.names = std::move(names);
  return made;
}

/// Throws where `value` is a number outside the range of the option, or a list with such a number,
/// or a text that is not among its listed names. `label` opens the message: "--epochs must be at
/// least 1, got 0".
void check_value(const Option& option, const nlohmann::json& value, const std::string& label);

/// Applies check_value to all of `options`, with the values they hold.
void check_values(const std::vector<Option>& options, const std::string& where);

/// Applies check_value to those of `options` that `given`, an object, has a value for.
void check_given(const std::vector<Option>& options, const nlohmann::json& given,
                 const std::string& where);

/// Throws, naming the option after `where`, where one of a struct is out of its declared range.
template <Declared Struct>
void check_declared(Struct fields, const std::string& where) {
  check_values(declared(fields), where);
}

/// Returns `options` followed by `more`, for a struct that has the options of another one too.
std::vector<Option> joined(std::vector<Option> options, const std::vector<Option>& more);

/// Returns the options of a plain struct: the keys and values of its JSON.
std::vector<Option> listed(const nlohmann::json& defaults);

/// Returns the options of `Struct` with their defaults: as declared, else as listed.
template <class Struct>
std::vector<Option> options_of() {
  Struct defaults;
  if constexpr (Declared<Struct>) {
    std::vector<Option> options = declared(defaults);
    for (Option& one : options) {
      one.read = nullptr;  // the field is gone when this function returns
    }
    return options;
  } else {
    return listed(nlohmann::json(defaults));
  }
}

/// Returns the range, the names and the default of an option for help: "(1 to 100; default 3)".
std::string limits_of(const Option& option);

}  // namespace retia

namespace nlohmann {

template <retia::Declared Struct>
struct adl_serializer<Struct, void> {
  static void to_json(json& to, const Struct& fields) {
    Struct copy = fields;
    to = json::object();
    for (const retia::Option& option : declared(copy)) {
      to[option.key] = option.value;
    }
  }
  static void from_json(const json& from, Struct& fields) {
    for (const retia::Option& option : declared(fields)) {
      if (const auto found = from.find(option.key); found != from.end()) {
        option.read(*found);
      }
    }
  }
};

}  // namespace nlohmann
