#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/json.h"
#include "engine/mutable.h"

namespace retia {

/// `{"normal/0": "conv3x3", "skip": ["a", "b"], "width": 32}`: names where they tell the candidates
/// apart, else indices; of a value choice its value. Several chosen, or any number, are a list.
/// Throws unless each decision is one of `mutables`, and valid; some may be missing.
Json choices_to_json(const Architecture& architecture, const std::vector<Mutable>& mutables);

/// The decisions in an object label -> choice, written by us or by others. A choice is a name, an
/// index or (of a value choice) a value, or a list of these, or a list of one `true` or `false` (or
/// 1.0 or 0.0) per candidate, or `{"_value": …, "_idx": …}` with one or both of them. Throws one
/// line, naming the nearest, on an unknown label or candidate, and on choices of the wrong number.
/// Labels may be missing: ir::canonical throws on those that something chosen reaches.
Architecture choices_from_json(const Json& choices, const std::vector<Mutable>& mutables);

/// `architecture` as a document, `"format": "retia.architecture", "version": 1`, with its choices
/// as above. `space` is the name of the space it belongs to. Of choices that no model has,
/// "settings" says where they stand, label -> path (see ir::Setting).
Json to_json(const Architecture& architecture, const std::vector<Mutable>& mutables,
             const std::string& space);

/// What a document tells of an architecture.
struct WrittenArchitecture {
  std::string space;  ///< empty: a plain object, which does not say
  Architecture architecture;
};

/// Reads what to_json wrote, or a plain object label -> choice (see choices_from_json), without
/// the settings that are none of `mutables`. Throws also on another format or version.
WrittenArchitecture architecture_from_json(const Json& document,
                                           const std::vector<Mutable>& mutables);

/// The architecture in the file `path`. Throws one line that names the file, also when it says that
/// it is of another space than `expected_space`.
Architecture read_architecture(const std::filesystem::path& path,
                               const std::vector<Mutable>& mutables,
                               const std::string& expected_space);

/// The settings in that file that are none of `mutables`: "lr 0.05
/// (evaluator.weight_optimizer.lr)".
std::vector<std::string> foreign_settings(const std::filesystem::path& path,
                                          const std::vector<Mutable>& mutables);

}  // namespace retia
