#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "retia/engine/io/option.h"

namespace retia {

/// Throws unless `given` can be read into options with the defaults `defaults`: an object with
/// known keys, and values of the types of the defaults. An integer is accepted for a number, but
/// not the reverse. An object with the key "choice" or "op" (a symbolic expression) is accepted for
/// any scalar; the field's own from_json checks it. Where the default is null or an empty object,
/// any keys are accepted. `where` opens the message: "algorithm: unknown key 'ordr'; did you mean
/// 'order'?".
void check_options(const nlohmann::json& given, const nlohmann::json& defaults,
                   std::string_view where);

/// Throws where reading has changed a value: an integer out of range, a fraction cut off, a list of
/// another length, or a string that is not a value of an enumeration. `read`: the options read from
/// `given`, written back to JSON.
void check_kept(const nlohmann::json& given, const nlohmann::json& read, std::string_view where);

/// Throws one line for a value that the field's own from_json rejected.
[[noreturn]] void refuse_options(std::string_view where, std::string_view reason);

/// Reads options from JSON strictly (see check_options); absent keys keep their defaults. `Options`
/// is an aggregate with default initialisers which is Declared, and then ranges and names are
/// checked, or has NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT. `where`: the name of the
/// section, which opens every error message.
template <class Options>
Options options_from_json(const nlohmann::json& given, std::string_view where) {
  check_options(given, nlohmann::json(Options{}), where);
  Options options;
  if constexpr (Declared<Options>) {
    check_given(declared(options), given, std::string(where));
  }
  try {
    given.get_to(options);
  } catch (const nlohmann::json::exception& error) {
    refuse_options(where, error.what());
  }
  check_kept(given, nlohmann::json(options), where);
  return options;
}

/// Applies one `--set section.key=value` to `config`. The value is parsed as JSON, else taken as a
/// string; missing objects on the path are created. Readers of `config` check whether section and
/// key exist.
void set_by_path(nlohmann::json& config, std::string_view assignment);

/// Returns `defaults` overlaid by `over`: objects key by key; other values (also symbolic
/// expressions and lists) as a whole.
nlohmann::json merged(nlohmann::json defaults, const nlohmann::json& over);

}  // namespace retia
