#include "retia/apps/recalled.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "retia/apps/config.h"
#include "retia/apps/program.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/options.h"
#include "retia/engine/space/architecture_json.h"

namespace retia {
namespace {

namespace fs = std::filesystem;

constexpr const char* kArchitecture = "architecture.json";
/// The options that say which samples there are, and not how they are used.
constexpr const char* kWhichData[] = {"name", "dir", "limit", "csv", "synthetic"};

std::string text_at(const Json& json, const char* pointer) {
  const Json value = json.value(Json::json_pointer(pointer), Json());
  return value.is_string() ? value.get<std::string>() : "";
}

/// Returns the space as the file beside an architecture holds it, where the space is a file.
std::string file_beside(const fs::path& architecture, const std::string& space) {
  const fs::path beside = architecture.parent_path() / "space.json";
  return is_space_file(space) && fs::exists(beside) ? beside.string() : space;
}

/// Returns the options of the evaluation network that are those of the search network: the ones
/// that both have with the same default. What differs there differs by the method.
Json shared_options(const Program& program, const SpaceReference& space) {
  Json shared = Json::object();
  const Json& searched = program.spaces.search_options(space.name);
  const Json& evaluated = program.spaces.evaluation_options(space.name);
  for (const auto& [key, value] : space.options.items()) {
    if (evaluated.contains(key) && searched.contains(key) && evaluated[key] == searched[key]) {
      shared[key] = value;
    }
  }
  return shared;
}

/// Returns the options with which a command makes the space of an architecture; empty: not known.
Json options_for(const Program& program, const std::string& command, const SpaceReference& space) {
  const std::vector<std::string> names = program.spaces.names();
  if (std::find(names.begin(), names.end(), space.name) == names.end()) {
    return Json::object();
  }
  if (command == "retrain" && space.evaluation.is_object()) {
    return space.evaluation;
  }
  if (!space.options.is_object()) {
    return Json::object();
  }
  return command == "retrain" ? shared_options(program, space) : space.options;
}

/// Reads a document; null where that fails and `space_is_given`.
Json read_if(bool space_is_given, const std::function<Json()>& read) {
  try {
    return read();
  } catch (const c10::Error&) {
    if (space_is_given) {
      return nullptr;
    }
    throw;
  }
}

class Recall {
 public:
  Recall(const Program& program, const std::string& command, const Json& given)
      : program_(program), command_(command), made_{.given = given} {}

  Recalled made() {
    const std::string run = text_at(made_.given, "/run/checkpoint");
    if (!run.empty()) {
      weights_of(run);
    }
    const std::string architecture = text_at(made_.given, "/run/architecture");
    if (fs::is_directory(architecture)) {
      made_.given["run"]["architecture"] = (fs::path(architecture) / kArchitecture).string();
      data_of(architecture);
    }
    if (!architecture.empty() && run.empty()) {
      space_of(text_at(made_.given, "/run/architecture"));
    }
    return std::move(made_);
  }

 private:
  bool has_space() const { return !text_at(made_.given, "/space/name").empty(); }

  /// A run whose weights are used has its space, data and, if none is given, architecture.
  void weights_of(const fs::path& run) {
    if (text_at(made_.given, "/run/architecture").empty() && fs::exists(run / kArchitecture)) {
      made_.given["run"]["architecture"] = (run / kArchitecture).string();
    }
    const Json config = data_of(run);
    const Json space = config.is_object() ? config.value("space", Json()) : Json();
    if (!space.is_object()) {
      return;
    }
    if (!has_space() && space.contains("name")) {
      made_.given["space"]["name"] = space["name"];
    }
    const Json options = made_.given.value("space", Json::object());
    for (const auto& [key, value] : options.items()) {
      TORCH_CHECK(key == "name" || !space.contains(key) || space[key] == value, "space.", key,
                  " was ", space[key].dump(), " in ", run.string(), " and is ", value.dump(),
                  " now: weights belong to the space in which they were trained, remove it");
    }
  }

  /// Takes over which samples a run has used, unless other data are given. Returns its
  /// configuration; null: it cannot be read.
  Json data_of(const fs::path& run) {
    const Json config = read_if(has_space() || command_ == "evaluate", [&] {
      return read_format(run / "config.json", "retia.config", 1);
    });
    const Json data = config.is_object() ? config.value("data", Json()) : Json();
    const std::string other = text_at(made_.given, "/data/name");
    if (!data.is_object() || (!other.empty() && data.value("name", Json()) != other)) {
      return config;
    }
    Json which = Json::object();
    for (const char* key : kWhichData) {
      if (data.contains(key)) {
        which[key] = data[key];
      }
    }
    made_.given["data"] = merged(which, made_.given.value("data", Json::object()));
    return config;
  }

  /// Takes over the space of an architecture with its options.
  void space_of(const fs::path& architecture) {
    SpaceReference space("");
    const Json read = read_if(has_space(), [&] {
      space = read_space_reference(architecture);
      return Json::object();
    });
    const std::string asked = text_at(made_.given, "/space/name");
    if (read.is_null() || space.name.empty() || (!asked.empty() && asked != space.name)) {
      return;
    }
    Json& given = made_.given["space"];
    const Json found = options_for(program_, command_, space);
    for (const auto& [key, value] : found.items()) {
      if (given.contains(key) && given[key] != value) {
        made_.differences.push_back(c10::str("space.", key, " was ", value.dump(), " for ",
                                             architecture.string(), " and is ", given[key].dump(),
                                             " now"));
      }
    }
    given = merged(found, given.is_object() ? given : Json::object());
    if (asked.empty()) {
      given["name"] = file_beside(architecture, space.name);
    }
  }

  const Program& program_;
  const std::string& command_;
  Recalled made_;
};

}  // namespace

Recalled recalled(const Program& program, const std::string& command, const Json& given) {
  return Recall(program, command, given).made();
}

SpaceReference space_reference(const Config& config) {
  return {config.space, is_space_file(config.space) ? Json() : config.space_options};
}

SpaceReference evaluated_reference(const Config& config, SpaceReference found) {
  found.name = config.space;
  const bool differ = !is_space_file(config.space) && config.space_options != found.options;
  found.evaluation = differ ? config.space_options : Json();
  return found;
}

}  // namespace retia
