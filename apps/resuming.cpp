#include "retia/apps/resuming.h"

#include <algorithm>
#include <functional>

#include "retia/apps/program.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/options.h"
#include "retia/engine/io/run_directory.h"
#include "retia/engine/ir/graph_difference.h"
#include "retia/engine/ir/json.h"
#include "retia/trainers/data/description.h"

namespace retia {
namespace {

namespace fs = std::filesystem;

/// Options whose change makes another run of it, whatever is asked for.
const std::vector<std::string> kFixed = {"command",  "space",    "algorithm",
                                         "strategy", "run.seed", "run.precision"};

std::string first_part(const std::string& key) { return key.substr(0, key.find('.')); }

bool is_among(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_fixed(const std::string& key) {
  const bool is_data = first_part(key) == "data" && key.rfind("data.augment", 0) != 0;
  return is_data || is_among(kFixed, key) || is_among(kFixed, first_part(key));
}

Json at_key(const Json& json, std::string key) {
  std::replace(key.begin(), key.end(), '.', '/');
  return json.value(Json::json_pointer("/" + key), Json());
}

/// The defaults of all options that a run with `options` may have.
Json defaults_for(const Program& program, const Json& options) {
  Json defaults = {{"data", DataOptions{}},
                   {"trainer", TrainerOptions{}},
                   {"weight_optimizer", SgdOptions{}},
                   {"run", RunOptions{}}};
  if (options.contains("experiment")) {
    defaults["experiment"] = ExperimentOptions{};
  }
  const auto add = [&](const char* section, const std::function<Json(const std::string&)>& of) {
    const Json name = options.value(section, Json::object()).value("name", Json());
    if (name.is_string()) {
      defaults[section] = of(name.get<std::string>());
    }
  };
  add("space", [&](const std::string& name) -> Json {
    const bool is_evaluated = options.value("command", "") == "retrain";
    return is_space_file(name) ? Json::object()
           : is_evaluated      ? program.spaces.evaluation_options(name)
                               : program.spaces.search_options(name);
  });
  add("algorithm", [&](const std::string& name) { return program.algorithms.defaults(name); });
  add("strategy", [&](const std::string& name) { return program.strategies.defaults(name); });
  add("evaluator", [&](const std::string& name) { return program.evaluators.defaults(name); });
  return defaults;
}

/// The options of a run, with defaults for those that are newer, and with its recorded changes.
Json options_before(const Program& program, const RunBefore& before) {
  Json options = merged(defaults_for(program, before.options), before.options);
  const Json changes =
      before.record.is_object() ? before.record.value("changes", Json::array()) : Json::array();
  for (const Json& change : changes) {
    auto key = change.at("option").get<std::string>();
    std::replace(key.begin(), key.end(), '.', '/');
    options[Json::json_pointer("/" + key)] = change.at("is");
  }
  return options;
}

/// Returns whether both values of an option stand for the same content.
bool is_same_content(const JsonChange& change, const RunBefore& before, const Json& now) {
  const std::string& key = change.key;
  std::error_code ignored;
  if (change.was.is_string() && change.is.is_string() &&
      fs::equivalent(change.was.get<std::string>(), change.is.get<std::string>(), ignored)) {
    return true;
  }
  if (key == "data.dir") {
    return before.record.is_object();  // the data were compared
  }
  if (key == "evaluator.data.dir") {
    const Json& options = now.at("options");
    return before.record.is_object() && options.at("evaluator").at("data") == options.at("data");
  }
  if (key == "run.architecture") {
    const fs::path written = before.path / "architecture.json";
    return before.record.is_object() ||  // the choices are compared
           (fs::exists(written) && read_json(written).value("choices", Json()) ==
                                       now.at("more").value("architecture", Json()));
  }
  if (key == "run.checkpoint") {
    return before.record.is_object() && now.at("more").contains("weights");
  }
  if (key == "space.name") {
    const bool are_files = change.was.is_string() && change.is.is_string() &&
                           is_space_file(change.was) && is_space_file(change.is);
    return are_files;
  }
  if (!before.record.is_object()) {
    return false;
  }
  const Json was = before.record.value("files", Json::object()).value(key, Json());
  const Json is = now.at("files").value(key, Json());
  return was.is_object() && is.is_object() && was.at("digest") == is.at("digest");
}

class Comparison {
 public:
  Comparison(const Config& config, const RunBefore& before, const Json& now)
      : config_(config), before_(before), now_(now) {
    std::string names = config.run.allow_change;
    for (size_t start = 0; start < names.size();) {
      const size_t end = std::min(names.find(',', start), names.size());
      allowed_.push_back(names.substr(start, end - start));
      start = end + 1;
    }
    for (const std::string& key : allowed_) {
      TORCH_CHECK(!is_fixed(key), "--allow-change ", key,
                  ": with another one it is another run, give another --out");
    }
  }

  std::vector<JsonChange> asked_for(const Json& options_before) {
    for (const JsonChange& change : changes_between(options_before, now_.at("options"))) {
      const bool is_of_one_version = first_part(change.key) == "run" && !change.is_in_both;
      if (is_harmless_option(change.key) || is_of_one_version ||
          is_same_content(change, before_, now_)) {
        continue;
      }
      check_allowed(change);
      asked_.push_back(change);
    }
    return std::move(asked_);
  }

  void check_graph(const ir::Graph& before, const ir::Graph& now) const {
    const std::optional<std::string> difference = ir::first_difference(before, now);
    TORCH_CHECK(!difference.has_value(), path(),
                " holds a run of another graph: ", difference.value_or(""),
                ": resume it with the graph it began with, or give "
                "another --out");
  }

  void check_data() const {
    const std::string difference = data_difference(before_.record.at("data"), now_.at("data"));
    TORCH_CHECK(difference.empty(), path(), " holds a run on other data: ", difference,
                ": give the data it began with, or another --out");
  }

  void check_files() const {
    const Json& now = now_.at("files");
    const Json before = before_.record.value("files", Json::object());
    for (const auto& [key, was] : before.items()) {
      const bool is_there = now.contains(key) && at_key(now_.at("options"), key) ==
                                                     at_key(before_.record.at("options"), key);
      TORCH_CHECK(!is_there || is_among(allowed_, key) || now[key].at("digest") == was.at("digest"),
                  path(), " was made with another content of ", was.at("name").get<std::string>(),
                  " (", key, "): give the file as it was, allow the change with --allow-change ",
                  key, ", or give another --out");
    }
  }

  void check_more() const {
    const Json before = before_.record.value("more", Json::object());
    for (const JsonChange& change : changes_between(before, now_.at("more"))) {
      TORCH_CHECK(!change.is_in_both, path(), " holds another run: ", to_string(change),
                  ": give another --out");
    }
  }

 private:
  std::string path() const { return before_.path.string(); }

  void check_allowed(const JsonChange& change) const {
    const bool grows = change.key == "trainer.epochs" && change.was.is_number() &&
                       change.is.is_number() && change.is > change.was;
    if (grows && config_.run.extend) {
      check_can_extend();
      return;
    }
    TORCH_CHECK(is_among(allowed_, change.key) && change.key != "trainer.epochs", path(),
                " holds a run with other options: ", to_string(change), ": give the same, ",
                grows                  ? "add --extend to train it longer, "
                : is_fixed(change.key) ? ""
                                       : "allow it with --allow-change " + change.key + ", ",
                "or give another --out");
  }

  void check_can_extend() const {
    const bool is_over =
        config_.command != "retrain" && (fs::exists(before_.path / "checkpoints" / "stage1") ||
                                         fs::exists(before_.path / "final_search"));
    const bool trains = config_.command == "retrain" || config_.command == "search";
    TORCH_CHECK(trains && !is_over, "--extend: ", path(),
                " is no training, or has gone beyond the one that could be extended: give another "
                "--out");
  }

  const Config& config_;
  const RunBefore& before_;
  const Json& now_;
  std::vector<std::string> allowed_;
  std::vector<JsonChange> asked_;
};

/// The graph with which a run began; null: not known. In a search, space.json may be a later form.
Json graph_before(const RunBefore& before) {
  if (before.record.is_object()) {
    return before.record.at("graph").at("graph");
  }
  const fs::path written = before.path / "space.json";
  const bool is_kept = before.options.value("command", "") != "search" && fs::exists(written);
  return is_kept ? read_format(written, "retia.graph", 1) : Json();
}

}  // namespace

std::vector<JsonChange> changes_on_resume(const Program& program, const Config& config,
                                          const RunBefore& before, const Json& now) {
  Comparison comparison(config, before, now);
  std::vector<JsonChange> asked = comparison.asked_for(options_before(program, before));
  if (const Json graph = graph_before(before); !graph.is_null()) {
    comparison.check_graph(ir::graph_from_json(graph, program.operations),
                           ir::graph_from_json(now.at("graph").at("graph"), program.operations));
  }
  if (before.record.is_object()) {
    comparison.check_data();
    comparison.check_files();
    comparison.check_more();
  }
  return asked;
}

bool is_compared_otherwise(const std::string& key) {
  static const std::vector<std::string> kOthers = {"run.out",        "run.architecture",
                                                   "run.checkpoint", "space.name",
                                                   "data.dir",       "evaluator.data.dir"};
  return is_among(kOthers, key);
}

}  // namespace retia
