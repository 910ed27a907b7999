#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace retia {

/// Throws unless `given` may be read into options whose defaults are `defaults`: an object, each of
/// its keys known, each value of its default's type. An integer passes for a number, never the
/// reverse; an object with the key "choice" or "op" (a symbolic expression) passes for any scalar,
/// and is judged by the field's own from_json; an empty object or null as default takes any keys.
/// `where` opens the messages: "algorithm: unknown key 'ordr'; did you mean 'order'?".
void check_options(const nlohmann::json& given, const nlohmann::json& defaults,
                   std::string_view where);

/// Throws where reading changed a value: an integer out of its field's range, a fraction cut off,
/// a list of another length, a string that names none of an enumeration's values. `read` is the
/// options that came of `given`, written back.
void check_kept(const nlohmann::json& given, const nlohmann::json& read, std::string_view where);

/// Throws the one-line error for a value that the field's own from_json refused.
[[noreturn]] void refuse_options(std::string_view where, std::string_view reason);

/// Options from JSON, strictly (see check_options); absent keys keep their defaults. Options is an
/// aggregate with default initialisers and NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT.
/// `where`: the section's name, which opens every error.
template <class Options>
Options options_from_json(const nlohmann::json& given, std::string_view where) {
  check_options(given, nlohmann::json(Options{}), where);
  Options options;
  try {
    given.get_to(options);
  } catch (const nlohmann::json::exception& error) {
    refuse_options(where, error.what());
  }
  check_kept(given, nlohmann::json(options), where);
  return options;
}

/// Applies one `--set section.key=value` to `config`. The value is JSON where it parses as such,
/// else a string; objects on the way are made. Whether section and key exist is judged by who reads
/// them.
void set_by_path(nlohmann::json& config, std::string_view assignment);

/// `defaults` overlaid by `over`: objects key by key, anything else (symbolic expressions and lists
/// included) as a whole.
nlohmann::json merged(nlohmann::json defaults, const nlohmann::json& over);

}  // namespace retia
