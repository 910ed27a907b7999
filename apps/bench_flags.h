#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "retia/engine/io/options.h"
#include "retia/engine/json.h"

namespace retia {

/// Reads the flags of a benchmark strictly: `--in-channels 3` sets the field in_channels. `where`
/// opens the error messages.
template <class Flags>
Flags read_flags(const std::vector<std::string>& words, const std::string& where) {
  const Json defaults = Flags{};
  Json given = Json::object();
  for (size_t i = 0; i < words.size(); i += 2) {
    std::string name = words[i];
    TORCH_CHECK(name.compare(0, 2, "--") == 0 && i + 1 < words.size(), where,
                ": expected --option VALUE, got '", name, "'");
    name = name.substr(2);
    std::replace(name.begin(), name.end(), '-', '_');
    if (defaults.contains(name) && defaults.at(name).is_string()) {
      given[name] = words[i + 1];
    } else {
      set_by_path(given, name + "=" + words[i + 1]);
    }
  }
  return options_from_json<Flags>(given, where);
}

}  // namespace retia
