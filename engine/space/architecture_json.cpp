#include "retia/engine/space/architecture_json.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <map>
#include <set>

#include "retia/engine/base/suggest.h"
#include "retia/engine/io/files.h"
#include "retia/engine/ir/graph.h"
#include "retia/engine/space/setting.h"

namespace retia {
namespace {

constexpr const char* kArchitectureFormat = "retia.architecture";
constexpr int64_t kArchitectureVersion = 1;

std::string kind_and_label(const Mutable& choice) {
  return c10::str(to_string(choice.kind), " '", choice.label, "'");
}

/// Returns JSON as one line for messages, whatever bytes it contains.
std::string shown(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The value that a value choice's name is the text of.
Json value_of(const std::string& name) {
  Json value = Json::parse(name, nullptr, /*allow_exceptions=*/false);
  return value.is_number() || value.is_boolean() ? value : Json(name);
}

bool all_distinct(const std::vector<std::string>& names) {
  return std::set<std::string>(names.begin(), names.end()).size() == names.size();
}

/// Returns whether the names of the candidates are distinct and say more than their indices.
bool has_names(const Mutable& choice) {
  bool are_indices = true;
  for (size_t k = 0; k < choice.names.size(); ++k) {
    are_indices = are_indices && choice.names[k] == std::to_string(k);
  }
  return !are_indices && all_distinct(choice.names);
}

Json to_json(int64_t index, const Mutable& choice) {
  const std::string& name = choice.names[static_cast<size_t>(index)];
  if (choice.kind != MutableKind::ValueChoice) {
    return has_names(choice) ? Json(name) : Json(index);
  }
  // A number stands for a value, never for an index, so of equal values the index is written apart.
  return all_distinct(choice.names) ? value_of(name)
                                    : Json{{"_value", value_of(name)}, {"_idx", index}};
}

Json to_json(const Decision& decision, const Mutable& choice) {
  if (choice.n_chosen == 1) {
    return to_json(decision.chosen.front(), choice);
  }
  Json list = Json::array();
  for (const int64_t index : decision.chosen) {
    list.push_back(to_json(index, choice));
  }
  return list;
}

int64_t index_from_json(const Json& json, const Mutable& choice) {
  TORCH_CHECK(json.is_number_integer(), kind_and_label(choice), ": expected an index, got ",
              shown(json));
  const bool in_range = json >= 0 && json < choice.n_candidates();
  TORCH_CHECK(in_range, kind_and_label(choice), ": index ", shown(json), " is outside its ",
              choice.n_candidates(), " candidates");
  return json.get<int64_t>();
}

int64_t index_of_value(const Json& json, const Mutable& choice) {
  for (size_t k = 0; k < choice.names.size(); ++k) {
    if (json == value_of(choice.names[k]) || json == choice.names[k]) {
      return static_cast<int64_t>(k);
    }
  }
  TORCH_CHECK(false, kind_and_label(choice), ": ", shown(json), " is none of its values",
              suggestion(json.is_string() ? json.get<std::string>() : shown(json), choice.names));
}

int64_t index_of_name(const std::string& name, const Mutable& choice) {
  const auto found = std::find(choice.names.begin(), choice.names.end(), name);
  TORCH_CHECK(found != choice.names.end(), kind_and_label(choice), ": unknown candidate '", name,
              "'", suggestion(name, choice.names));
  TORCH_CHECK(std::count(found, choice.names.end(), name) == 1, kind_and_label(choice),
              ": several candidates are named '", name, "': give an index");
  return found - choice.names.begin();
}

int64_t candidate_from_json(const Json& json, const Mutable& choice) {
  if (choice.kind == MutableKind::ValueChoice && json.is_primitive() && !json.is_null()) {
    return index_of_value(json, choice);
  }
  if (json.is_string()) {
    return index_of_name(json, choice);
  }
  TORCH_CHECK(json.is_number_integer(), kind_and_label(choice),
              ": expected the name or the index of a candidate, got ", shown(json));
  return index_from_json(json, choice);
}

/// Returns whether `list` holds one flag or weight per candidate.
bool is_multi_hot(const Json& list, const Mutable& choice) {
  const bool is_value = choice.kind == MutableKind::ValueChoice;
  if (list.empty() || (is_value && (list.size() == 1 || list.size() != choice.names.size()))) {
    return false;
  }
  return std::all_of(list.begin(), list.end(), [](const Json& e) { return e.is_boolean(); }) ||
         std::all_of(list.begin(), list.end(), [](const Json& e) { return e.is_number_float(); });
}

Decision decision_from_flags(const Json& list, const Mutable& choice) {
  TORCH_CHECK(list.size() == choice.names.size(), kind_and_label(choice),
              ": expected a flag for each of ", choice.n_candidates(), " candidates, got ",
              list.size());
  Decision decision;
  for (size_t k = 0; k < list.size(); ++k) {
    TORCH_CHECK(list[k].is_boolean() || list[k] == 0.0 || list[k] == 1.0, kind_and_label(choice),
                ": expected 0.0 or 1.0 for each candidate, got the weights ", shown(list),
                ": an architecture has decided, so name what is chosen");
    if (list[k] == true || list[k] == 1.0) {
      decision.chosen.push_back(static_cast<int64_t>(k));
    }
  }
  return decision;
}

/// The decision that `json`, a candidate or a list of them, stands for by `read`.
template <class Read>
Decision decision_from_list(const Json& json, const Mutable& choice, const Read& read) {
  Decision decision;
  for (const Json& entry : json.is_array() ? json : Json::array({json})) {
    decision.chosen.push_back(read(entry, choice));
  }
  std::sort(decision.chosen.begin(), decision.chosen.end());
  const auto twice = std::adjacent_find(decision.chosen.begin(), decision.chosen.end());
  TORCH_CHECK(twice == decision.chosen.end(), kind_and_label(choice), ": ", shown(json),
              " chooses candidate ", *twice, " twice");
  return decision;
}

Decision decision_from_value(const Json& json, const Mutable& choice) {
  const Json list = json.is_array() ? json : Json::array({json});
  if (is_multi_hot(list, choice)) {
    return decision_from_flags(list, choice);
  }
  return decision_from_list(json, choice, candidate_from_json);
}

/// `{"_value": …, "_idx": …}`; "_idex" is how the documentation of other tools misspells it.
Decision decision_from_object(const Json& json, const Mutable& choice) {
  for (const auto& [key, value] : json.items()) {
    TORCH_CHECK(key == "_value" || key == "_idx" || key == "_idex", kind_and_label(choice),
                ": unknown key '", key, "'", suggestion(key, {"_idx", "_value"}));
  }
  const char* index_key = json.contains("_idx") ? "_idx" : "_idex";
  TORCH_CHECK(json.contains(index_key) || json.contains("_value"), kind_and_label(choice),
              ": expected {\"_value\": …, \"_idx\": …}, got {}");
  if (!json.contains(index_key)) {
    return decision_from_value(json["_value"], choice);
  }
  Decision decision = decision_from_list(json[index_key], choice, index_from_json);
  TORCH_CHECK(
      !json.contains("_value") ||
          decision_from_value(json["_value"], choice).chosen.size() == decision.chosen.size(),
      kind_and_label(choice), ": \"_value\" and \"_idx\" of ", shown(json),
      " choose different numbers of candidates");
  if (json.contains("_value") && all_distinct(choice.names)) {
    TORCH_CHECK(decision_from_value(json["_value"], choice) == decision, kind_and_label(choice),
                ": \"_value\" and \"_idx\" of ", shown(json), " choose different candidates");
  }
  return decision;
}

bool is_ours(const Json& document) {
  const auto format = document.find("format");
  return format != document.end() && format->is_string() &&
         format->get_ref<const std::string&>().compare(0, 6, "retia.") == 0;
}

/// The options that a document has under `key`; null: none.
Json options_of(const Json& document, const char* key) {
  const auto found = document.find(key);
  TORCH_CHECK(found == document.end() || found->is_object(), "architecture: expected an object \"",
              key, "\", got ", found == document.end() ? "" : shown(*found));
  return found == document.end() ? Json() : *found;
}

/// The space of a document, whose header is checked; without a name for a plain object.
SpaceReference space_of(const Json& document) {
  TORCH_CHECK(document.is_object(), "expected an object label -> choice, got ", shown(document));
  if (!is_ours(document)) {
    return "";
  }
  check_format(document, "architecture", kArchitectureFormat, kArchitectureVersion);
  for (const auto& [key, value] : document.items()) {
    const std::vector<std::string> known = {"format",     "version", "space",   "options",
                                            "evaluation", "choices", "settings"};
    TORCH_CHECK(std::find(known.begin(), known.end(), key) != known.end(),
                "architecture: unknown key '", key, "'", suggestion(key, known));
  }
  TORCH_CHECK(document.contains("space") && document["space"].is_string(),
              "architecture: expected the name of its space as \"space\"");
  TORCH_CHECK(document.contains("choices"), "architecture: expected an object \"choices\"");
  return {document["space"], options_of(document, "options"), options_of(document, "evaluation")};
}

bool is_file(const std::string& space) { return space.ends_with(".json"); }

/// label -> path of the settings of a document that are none of `mutables`.
std::map<std::string, std::string> foreign(const Json& document,
                                           const std::vector<Mutable>& mutables) {
  std::map<std::string, std::string> found;
  if (is_ours(document) && document.contains("settings")) {
    for (const auto& [label, path] : document["settings"].items()) {
      TORCH_CHECK(path.is_string(), "architecture: expected the path of the setting '", label,
                  "', got ", shown(path));
      found[label] = path;
    }
  }
  for (const Mutable& choice : mutables) {
    found.erase(choice.label);
  }
  return found;
}

Architecture decisions_of(const Json& document, const std::vector<Mutable>& mutables) {
  Json choices = is_ours(document) ? document["choices"] : document;
  for (const auto& [label, path] : foreign(document, mutables)) {
    choices.erase(label);
  }
  return choices_from_json(choices, mutables);
}

}  // namespace

Json choices_to_json(const Architecture& architecture, const std::vector<Mutable>& mutables) {
  check_labels(architecture, mutables);
  Json choices = Json::object();
  for (const Mutable& choice : mutables) {
    if (architecture.contains(choice.label)) {
      const Decision& decision = architecture.at(choice.label);
      check_decision(decision, choice, Purpose::Final);
      choices[choice.label] = to_json(decision, choice);
    }
  }
  return choices;
}

Architecture choices_from_json(const Json& choices, const std::vector<Mutable>& mutables) {
  TORCH_CHECK(choices.is_object(), "expected an object label -> choice, got ", shown(choices));
  Architecture architecture;
  for (const auto& [label, json] : choices.items()) {
    architecture[label];
  }
  check_labels(architecture, mutables);
  for (const Mutable& choice : mutables) {
    if (architecture.contains(choice.label)) {
      const Json& json = choices[choice.label];
      Decision decision =
          json.is_object() ? decision_from_object(json, choice) : decision_from_value(json, choice);
      check_decision(decision, choice, Purpose::Final);
      architecture[choice.label] = std::move(decision);
    }
  }
  return architecture;
}

Json to_json(const Architecture& architecture, const std::vector<Mutable>& mutables,
             const SpaceReference& space) {
  Json document = {{"format", kArchitectureFormat},
                   {"version", kArchitectureVersion},
                   {"space", space.name},
                   {"choices", choices_to_json(architecture, mutables)}};
  if (!space.options.is_null()) {
    document["options"] = space.options;
  }
  if (!space.evaluation.is_null()) {
    document["evaluation"] = space.evaluation;
  }
  for (const Mutable& choice : mutables) {
    if (ir::is_setting(choice) && architecture.contains(choice.label)) {
      document["settings"][choice.label] = choice.scope;
    }
  }
  return document;
}

WrittenArchitecture architecture_from_json(const Json& document,
                                           const std::vector<Mutable>& mutables) {
  SpaceReference space = space_of(document);
  return {std::move(space), decisions_of(document, mutables)};
}

SpaceReference read_space_reference(const std::filesystem::path& path) {
  const Json document = read_json(path);
  return ir::in_context(path.string(), [&] { return space_of(document); });
}

Architecture read_architecture(const std::filesystem::path& path,
                               const std::vector<Mutable>& mutables,
                               const std::string& expected_space) {
  const Json document = read_json(path);
  return ir::in_context(path.string(), [&] {
    const std::string space = space_of(document).name;
    const bool are_files = is_file(space) && is_file(expected_space);
    TORCH_CHECK(space.empty() || space == expected_space || are_files, "is of space '", space,
                "', expected '", expected_space, "'");
    return decisions_of(document, mutables);
  });
}

std::vector<std::string> foreign_settings(const std::filesystem::path& path,
                                          const std::vector<Mutable>& mutables) {
  const Json document = read_json(path);
  std::vector<std::string> lines;
  for (const auto& [label, place] : foreign(document, mutables)) {
    lines.push_back(
        c10::str(label, " ", shown(document["choices"].value(label, Json())), " (", place, ")"));
  }
  return lines;
}

}  // namespace retia
