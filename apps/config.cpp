#include "retia/apps/config.h"

#include <algorithm>
#include <iostream>
#include <map>

#include "retia/apps/program.h"
#include "retia/apps/recalled.h"
#include "retia/engine/base/suggest.h"
#include "retia/engine/experiment/local_runner.h"
#include "retia/engine/io/options.h"
#include "retia/engine/space/setting.h"
#include "retia/trainers/evaluators/costed.h"

namespace retia {
namespace {

const std::vector<std::string> kSections = {
    "space",      "data",   "algorithm", "trainer", "weight_optimizer", "strategy", "evaluator",
    "experiment", "runner", "profile",   "run"};

/// Removes `name` from a section and returns it.
std::string take_name(Json& section, const std::string& where, const std::string& fallback) {
  const Json name = section.value("name", Json(fallback));
  TORCH_CHECK(name.is_string(), where, ": name must be a text, got ", name.dump());
  section.erase("name");
  return name.get<std::string>();
}

/// The validation fraction of a retraining, which needs its samples to train on.
constexpr double kRetrainingValidFraction = 0.1;

/// Returns the section `data` with the command's default of valid_fraction.
Json data_given(const Json& json, const std::string& command) {
  Json data = json.value("data", Json::object());
  if (command == "retrain" && data.is_object() && !data.contains("valid_fraction")) {
    data["valid_fraction"] = kRetrainingValidFraction;
  }
  return data;
}

/// Throws where a command that chooses by validation samples would hold out none.
void check_validation(const std::string& command, double valid_fraction) {
  const bool chooses = command == "search" || command == "explore" || command == "rank";
  TORCH_CHECK(valid_fraction > 0 || !chooses,
              "data.valid_fraction must be above 0, got 0: ", command,
              " chooses by the samples held out (0 is for retrain, which then trains on all)");
}

/// Fills in the defaults of `given`, which must have no other keys.
void complete(Json& given, const Json& defaults, const std::string& where) {
  check_options(given, defaults, where);
  given = merged(defaults, given);
}

void check_known(const std::string& what, const std::string& name,
                 const std::vector<std::string>& known) {
  TORCH_CHECK(std::find(known.begin(), known.end(), name) != known.end(), "unknown ", what, " '",
              name, "'", suggestion(name, known));
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void check_run(const RunOptions& run) {
  TORCH_CHECK(run.precision != "fp16" || run.device == "cuda",
              "--precision fp16 is for --device cuda: on a CPU take --precision bf16");
}

/// Returns whether a command with these `sections` of its own reads `section`; a configuration file
/// may contain sections of other commands.
bool reads(const std::vector<std::string>& sections, const std::string& section) {
  static const std::vector<std::string> kOwn = {"algorithm",  "strategy", "evaluator",
                                                "experiment", "runner",   "profile"};
  return !holds(kOwn, section) || holds(sections, section);
}

/// Reads a section whose options are declared. Errors of type name the key, errors of range the
/// flag.
template <class Options>
Options read_section(const Program& program, const Json& json, const std::string& name) {
  const Json given = json.value(name, Json::object());
  check_options(given, Json(Options{}), name);
  for (const Flag& flag : shared_flags()) {
    const bool is_in_table = flag.option.names && !flag.option.names->table.empty();
    if (flag.key.rfind(name + ".", 0) == 0 && !is_in_table) {
      check_flags(program, {flag}, json);
    }
  }
  return options_from_json<Options>(given, name);
}

/// Throws where a flag that a command cannot do without was given nowhere.
void check_required(const Json& json, const ConfiguredCommand& row) {
  for (const Flag& flag : shared_flags()) {
    if (!holds(row.required, flag.name)) {
      continue;
    }
    std::string path = "/" + flag.key;
    std::replace(path.begin(), path.end(), '.', '/');
    const bool given = json.value(Json::json_pointer(path), "") != "";
    TORCH_CHECK(given || row.positional != flag.key, row.name, " needs ",
                flag.placeholder == "DIR" ? "a run directory" : "a file", ": retia ", row.name, " ",
                flag.placeholder);
    TORCH_CHECK(given, row.name, " needs --", flag.name, " ", flag.placeholder, ": ",
                flag.option.meaning);
  }
}

/// Reads the evaluator's section, and adds the options given once for all commands.
void read_evaluator(const Program& program, const Json& json, Config& config) {
  config.evaluator_options = json.value("evaluator", Json::object());
  config.evaluator = take_name(config.evaluator_options, "evaluator", "classification");
  const EvaluatorTable& evaluators = program.evaluators;
  // What is said once for all commands also is how trials train.
  const Json shared = {{"data", config.data},
                       {"epochs", config.trainer.epochs},
                       {"batch_size", config.trainer.batch_size},
                       {"weight_optimizer", config.weight_optimizer},
                       {"intermediate", config.experiment.early_stop == StopRule::Median},
                       {"keep_weights", config.experiment.keep_weights > 0},
                       {"seed", config.run.seed}};
  const Json defaults = evaluators.defaults(config.evaluator);
  Json known = Json::object();
  for (const auto& [key, value] : shared.items()) {
    if (defaults.contains(key)) {
      known[key] = value;
    }
  }
  complete(config.evaluator_options, merged(defaults, known),
           "evaluator '" + config.evaluator + "'");
  if (ir::settings_in(config.evaluator_options, "evaluator").empty()) {
    evaluators.check(config.evaluator, config.evaluator_options);
  }
}

}  // namespace

bool is_space_file(const std::string& space) { return space.ends_with(".json"); }

std::vector<Flag> shared_flags() {
  const auto entry = [](const std::string& name, const std::string& meaning) {
    const Option named{.key = name, .value = "", .meaning = meaning, .names = Names{.table = name}};
    return Flag{name, name + ".name", "NAME", named};
  };
  std::vector<Flag> flags = {
      entry("space", "model space, or a .json file with a graph"),
      entry("algorithm", "one-shot algorithm"), entry("strategy", "exploration strategy"),
      entry("evaluator", "what scores a model"), entry("runner", "where trials run")};
  const std::map<std::string, std::vector<Option>> sections = {
      {"data", options_of<DataOptions>()},
      {"trainer", options_of<TrainerOptions>()},
      {"experiment", options_of<ExperimentOptions>()},
      {"runner", options_of<LocalRunnerOptions>()},
      {"profile", options_of<ProfileOptions>()},
      {"run", options_of<RunOptions>()}};
  const auto add = [&](const char* name, const std::string& key, const char* placeholder) {
    const size_t dot = key.find('.');
    for (const Option& option : sections.at(key.substr(0, dot))) {
      if (option.key == key.substr(dot + 1)) {
        flags.push_back({name, key, placeholder, option});
        return;
      }
    }
    TORCH_INTERNAL_ASSERT(false, key);
  };
  add("architecture", "run.architecture", "FILE");
  add("checkpoint", "run.checkpoint", "DIR");
  add("data", "data.name", "NAME");
  add("data-dir", "data.dir", "DIR");
  add("out", "run.out", "DIR");
  add("epochs", "trainer.epochs", "N");
  add("batch-size", "trainer.batch_size", "N");
  add("seed", "run.seed", "N");
  add("max-trials", "experiment.max_trials", "N");
  add("max-duration", "experiment.max_duration", "N");
  add("concurrency", "experiment.concurrency", "N");
  add("merge", "experiment.merge", "N");
  add("keep-weights", "experiment.keep_weights", "N");
  add("use-active-gpu", "runner.use_active_gpu", "");
  add("device", "run.device", "NAME");
  add("precision", "run.precision", "NAME");
  add("executor", "run.executor", "NAME");
  add("threads", "run.threads", "N");
  add("time-limit", "run.time_limit", "N");
  add("table", "profile.table", "FILE");
  add("force", "profile.force", "");
  add("resume", "run.resume", "");
  add("extend", "run.extend", "");
  add("allow-change", "run.allow_change", "KEYS");
  add("tag", "run.tag", "WORDS");
  add("note", "run.note", "TEXT");
  add("quiet", "run.quiet", "");
  return flags;
}

namespace {

/// Returns the options of the entry of a table that the words name, or how to name one.
Section entry_section(const Program& program, const Command& command, const Words& words,
                      const std::string& name) {
  const std::string entry = value_in(words, command, name);
  if (entry.empty()) {
    return {name, {}, "add --" + name + " NAME to --help"};
  }
  if (name == "space") {
    if (is_space_file(entry)) {
      return {name, {}, "a file takes no options"};
    }
    return {name, command.name == "retrain" ? program.spaces.evaluation_described(entry)
                                            : program.spaces.described(entry)};
  }
  return {name, name == "algorithm"   ? program.algorithms.options(entry)
                : name == "strategy"  ? program.strategies.options(entry)
                : name == "evaluator" ? program.evaluators.options(entry)
                                      : program.runners.options(entry)};
}

/// Returns the options of data; those that belong to one set only where the words name it.
Section data_section(const Program& program, const Command& command, const Words& words) {
  const std::string name = value_in(words, command, "data");
  const std::vector<std::string> sets = program.data_sets.names();
  if (!name.empty()) {
    check_known("data set", name, sets);
  }
  Section section{"data", options_of<DataOptions>()};
  std::erase_if(section.options, [&](const Option& option) {
    return holds(sets, option.key) && option.key != name;
  });
  const Json defaults = data_given(Json::object(), command.name);
  for (Option& option : section.options) {
    option.value = defaults.value(option.key, option.value);
  }
  return section;
}

/// Returns the sections that `--set` changes with effect in a command.
std::vector<Section> sections_of(const Program& program, const ConfiguredCommand& row,
                                 const Command& command, const Words& words) {
  std::vector<Section> sections;
  const auto has = [&](const std::string& flag) { return holds(row.flags, flag); };
  if (has("space")) {
    sections.push_back(entry_section(program, command, words, "space"));
  }
  for (const char* table : {"algorithm", "strategy", "evaluator", "runner"}) {
    if (holds(row.sections, table)) {
      sections.push_back(entry_section(program, command, words, table));
    }
  }
  if (has("data")) {
    sections.push_back(data_section(program, command, words));
  }
  if (has("epochs")) {
    sections.push_back({"trainer", options_of<TrainerOptions>()});
    sections.push_back({"weight_optimizer", options_of<SgdOptions>()});
  }
  if (holds(row.sections, "experiment")) {
    sections.push_back({"experiment", options_of<ExperimentOptions>()});
  }
  if (holds(row.sections, "profile")) {
    sections.push_back({"profile", options_of<ProfileOptions>()});
  }
  return sections;
}

/// Returns the flags of the options that a command has alone.
std::vector<Flag> own_flags(const std::vector<Option>& own) {
  std::vector<Flag> flags = flags_of(own);
  for (Flag& flag : flags) {
    flag.key = "run." + flag.key;
  }
  return flags;
}

/// Takes the options that a command has alone, `own`, out of the section `run`. Removes those of other
/// commands, which a configuration file may hold.
Json take_own(const Program& program, const std::vector<Option>& own, Json& json) {
  Json given = Json::object();
  if (!json.contains("run")) {
    return given;
  }
  for (const Option& option : own) {
    if (json["run"].contains(option.key)) {
      given[option.key] = json["run"][option.key];
    }
  }
  const Json shared = RunOptions{};
  for (const Command& other : program.commands.all()) {
    for (const Flag& flag : other.flags) {
      const std::string key = flag.key.rfind("run.", 0) == 0 ? flag.key.substr(4) : "";
      if (!key.empty() && !shared.contains(key)) {
        json["run"].erase(key);
      }
    }
  }
  Json defaults = Json::object();
  for (const Option& option : own) {
    defaults[option.key] = option.value;
    json["run"].erase(option.key);
  }
  check_options(given, defaults, "run");
  check_flags(program, own_flags(own), {{"run", given}});
  return given;
}

/// Reads the words after the name of a command. Throws one line, naming the nearest known name,
/// where something is wrong or missing. `own`: the options that the command has alone.
Config read_config(const Program& program, const ConfiguredCommand& row, const Command& command,
                   const std::vector<Option>& own, const Words& words) {
  const std::string& name = row.name;
  Json json = read_words(command, words, [&row](const std::string& assignment) {
    const std::string section = assignment.substr(0, assignment.find('.'));
    TORCH_CHECK(reads(row.sections, section), "--set ", assignment, ": ", row.name, " has no ",
                section, ", remove it");
  });
  for (const auto& [section, content] : json.items()) {
    check_known("section of the configuration", section, kSections);
    TORCH_CHECK(content.is_object(), section, ": expected an object, got ", content.dump());
  }

  Config config;
  if (holds(row.flags, "architecture") || holds(row.flags, "checkpoint")) {
    Recalled complete = recalled(program, name, json);
    json = std::move(complete.given);
    config.differences = std::move(complete.differences);
  }
  config.command = name;
  config.words = words;
  config.words.insert(config.words.begin(), name);
  const bool writes = json.value("/run/debug"_json_pointer, Json()) != true;
  config.own = take_own(program, own, json);
  config.sections = row.sections;
  json["data"] = data_given(json, name);
  config.names_data = json["data"].contains("name");
  config.data = read_section<DataOptions>(program, json, "data");
  check_validation(name, config.data.valid_fraction);
  config.trainer = read_section<TrainerOptions>(program, json, "trainer");
  config.weight_optimizer = read_section<SgdOptions>(program, json, "weight_optimizer");
  config.run = read_section<RunOptions>(program, json, "run");
  config.profile = read_section<ProfileOptions>(program, json, "profile");
  check_run(config.run);
  TORCH_CHECK(config.run.resume || !config.run.extend, "--extend continues a run: add --resume");
  TORCH_CHECK(config.run.resume || config.run.allow_change.empty(),
              "--allow-change is for a run that goes on: add --resume");
  check_known("data set", config.data.name, program.data_sets.names());
  check_trainer_options(config.trainer);
  check_sgd_options(config.weight_optimizer);

  if (!holds(row.flags, "space")) {
    check_required(json, row);
    return config;
  }
  config.space_options = json.value("space", Json::object());
  config.space = take_name(config.space_options, "space", "");
  TORCH_CHECK(!config.space.empty(), "no space was given: add --space NAME, one of ",
              suggestion("", program.spaces.names()).substr(std::string("; known: ").size()));
  if (writes) {
    check_required(json, row);
  }
  if (is_space_file(config.space)) {
    TORCH_CHECK(config.space_options.empty(), "space: a file takes no options, got ",
                config.space_options.begin().key());
  } else {
    const Json defaults = name == "retrain" ? program.spaces.evaluation_options(config.space)
                                            : program.spaces.search_options(config.space);
    complete(config.space_options, defaults, "space '" + config.space + "'");
    if (name == "retrain") {
      program.spaces.check_evaluation(config.space, config.space_options);
    } else {
      program.spaces.check_search(config.space, config.space_options);
    }
  }
  if (holds(row.sections, "algorithm")) {
    config.algorithm_options = json.value("algorithm", Json::object());
    config.algorithm = take_name(config.algorithm_options, "algorithm", "darts");
    complete(config.algorithm_options, program.algorithms.defaults(config.algorithm),
             "algorithm '" + config.algorithm + "'");
    program.algorithms.check(config.algorithm, config.algorithm_options);
  }
  if (holds(row.sections, "strategy")) {
    config.strategy_options = json.value("strategy", Json::object());
    config.strategy = take_name(config.strategy_options, "strategy", "random");
    complete(config.strategy_options, program.strategies.defaults(config.strategy),
             "strategy '" + config.strategy + "'");
    program.strategies.check(config.strategy, config.strategy_options);
    config.experiment = read_section<ExperimentOptions>(program, json, "experiment");
    if (config.experiment.window.table.empty()) {
      config.experiment.window.table = config.profile.table;
    }
    check_costs(config.experiment.costs);
    TORCH_CHECK(config.trainer.accumulate == 1 && config.trainer.ema == 0, name,
                ": trials neither accumulate gradients nor average weights, remove "
                "trainer.accumulate and trainer.ema");
  }
  if (holds(row.sections, "evaluator")) {
    read_evaluator(program, json, config);
  }
  if (holds(row.sections, "runner")) {
    config.runner_options = json.value("runner", Json::object());
    config.runner = take_name(config.runner_options, "runner", "inline");
    complete(config.runner_options, program.runners.defaults(config.runner),
             "runner '" + config.runner + "'");
    program.runners.check(config.runner, config.runner_options);
  }
  return config;
}

}  // namespace

Command configured(const ConfiguredCommand& row, const std::vector<Option>& own,
                   std::function<int(const Program&, const Config&)> run) {
  Command made{.name = row.name, .summary = row.summary};
  for (const Flag& flag : shared_flags()) {
    if (flag.key == row.positional) {
      made.positional = flag;
    }
    if (holds(row.flags, flag.name)) {
      made.flags.push_back(flag);
    }
  }
  for (const Flag& flag : own_flags(own)) {
    made.flags.push_back(flag);
  }
  made.sections = [row, shown = made](const Program& program, const Words& words) {
    return sections_of(program, row, shown, words);
  };
  made.read = [row, own, run = std::move(run), parsed = made](const Program& program,
                                                              const Words& words) -> Work {
    return [&program, run, config = read_config(program, row, parsed, own, words)] {
      for (const std::string& line : config.differences) {
        std::cerr << line << std::endl;
      }
      return run(program, config);
    };
  };
  return made;
}

std::vector<std::string> with_run_flags(std::vector<std::string> names) {
  for (const char* common : {"out", "resume", "allow-change", "tag", "note"}) {
    names.emplace_back(common);
  }
  return with_model_flags(std::move(names));
}

std::vector<std::string> with_model_flags(std::vector<std::string> names) {
  for (const char* common : {"space", "data", "data-dir", "batch-size", "seed", "device",
                             "precision", "executor", "threads", "quiet"}) {
    names.emplace_back(common);
  }
  return names;
}

Json Config::resolved() const {
  Json json = {{"command", command},     {"data", data},
               {"trainer", trainer},     {"run", run},
               {"space", space_options}, {"weight_optimizer", weight_optimizer}};
  json["space"]["name"] = space;
  if (holds(sections, "algorithm")) {
    json["algorithm"] = algorithm_options;
    json["algorithm"]["name"] = algorithm;
  }
  if (holds(sections, "strategy")) {
    json["strategy"] = strategy_options;
    json["strategy"]["name"] = strategy;
    json["evaluator"] = evaluator_options;
    json["evaluator"]["name"] = evaluator;
    json["experiment"] = experiment;
  }
  if (holds(sections, "runner")) {
    json["runner"] = runner_options;
    json["runner"]["name"] = runner;
  }
  return json;
}

}  // namespace retia
