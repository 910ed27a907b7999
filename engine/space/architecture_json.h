#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "retia/engine/base/json.h"
#include "retia/engine/mutables/mutable.h"

namespace retia {

/// Returns the decisions as a JSON object: `{"normal/0": "conv3x3", "skip": ["a", "b"], "width":
/// 32}`. A candidate is written by its name, or by its index where two candidates share a name; a
/// value choice by its value. A choice of several candidates, or of any number, is a list. Throws
/// unless each decision belongs to one of `mutables` and is valid; decisions may be missing.
Json choices_to_json(const Architecture& architecture, const std::vector<Mutable>& mutables);

/// Reads decisions from an object label → choice, as Retia or another tool wrote it. A choice is
/// one of: a name; an index; a value (of a value choice); a list of these; a list of one flag per
/// candidate (`true`/`false` or 1.0/0.0); or `{"_value": …, "_idx": …}` with one or both keys.
/// Throws one line, naming the nearest known one, on an unknown label or candidate and on a wrong
/// number of chosen candidates. Labels may be missing: ir::canonical throws later if the model
/// needs a missing one.
Architecture choices_from_json(const Json& choices, const std::vector<Mutable>& mutables);

/// The space of an architecture, as a document names it.
struct SpaceReference {
  /// Refers to a space without options, such as a file.
  SpaceReference(const char* named) : name(named) {}
  /// Refers to the space `named` with the options `of_search` of its search network, and those of
  /// its evaluation network.
  SpaceReference(std::string named, Json of_search = nullptr, Json of_evaluation = nullptr)
      : name(std::move(named)),
        options(std::move(of_search)),
        evaluation(std::move(of_evaluation)) {}

  std::string name;  ///< name in the table of spaces, or a file; empty: not known
  Json options;      ///< complete options of the search network, an object; null: not known
  Json evaluation;   ///< those of the evaluation network where it was trained with others
};

/// Returns a document `{"format": "retia.architecture", "version": 1, "space": name, "options": …,
/// "evaluation": …, "choices": …}` with the choices as choices_to_json writes them; options that are
/// not known are left out. Choices outside the graph (see ir::Setting) are also listed under
/// "settings", as label → path.
Json to_json(const Architecture& architecture, const std::vector<Mutable>& mutables,
             const SpaceReference& space);

/// The content of an architecture document.
struct WrittenArchitecture {
  /// Space of the document; without a name where the document is a plain object.
  SpaceReference space;
  Architecture architecture;  ///< decisions in the document, without foreign settings
};

/// Reads a document that to_json wrote, or a plain object label → choice (see choices_from_json).
/// Settings whose labels are not among `mutables` are left out. Throws on another format or
/// version.
WrittenArchitecture architecture_from_json(const Json& document,
                                           const std::vector<Mutable>& mutables);

/// Returns the space that the document in the file `path` names; without a name where the document
/// is a plain object. Throws one line that names the file.
SpaceReference read_space_reference(const std::filesystem::path& path);

/// Reads the architecture in the file `path`. Throws one line that names the file, also when the
/// document names another space than `expected_space`; two files may have different names.
Architecture read_architecture(const std::filesystem::path& path,
                               const std::vector<Mutable>& mutables,
                               const std::string& expected_space);

/// Returns the settings in the file `path` whose labels are not among `mutables`, as text: "lr 0.05
/// (evaluator.weight_optimizer.lr)".
std::vector<std::string> foreign_settings(const std::filesystem::path& path,
                                          const std::vector<Mutable>& mutables);

}  // namespace retia
