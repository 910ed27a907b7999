#include "retia/apps/config.h"

#include <algorithm>
#include <boost/program_options.hpp>
#include <sstream>

#include "retia/apps/program.h"
#include "retia/engine/io/files.h"
#include "retia/engine/io/options.h"
#include "retia/engine/suggest.h"
#include "retia/trainers/evaluators/costed.h"

namespace retia {
namespace {

namespace po = boost::program_options;

const std::vector<std::string> kSections = {
    "space",      "data",   "algorithm", "trainer", "weight_optimizer", "strategy", "evaluator",
    "experiment", "runner", "profile",   "run"};

po::options_description describe(const std::vector<std::string>& accepted) {
  po::options_description options("options");
  auto add = options.add_options();
  for (const OptionRow& row : shared_options()) {
    if (std::find(accepted.begin(), accepted.end(), row.name) == accepted.end()) {
      continue;
    }
    const std::string name = row.name;
    if (row.type == OptionRow::Type::Flag) {
      add(row.name, row.help);
    } else if (name.size() == 1) {
      add((name + "," + name).c_str(), po::value<std::string>()->value_name("N"), row.help);
    } else {
      const char* value = row.type == OptionRow::Type::Number ? "N" : "VALUE";
      add(row.name, po::value<std::string>()->value_name(value), row.help);
    }
  }
  add("config", po::value<std::string>()->value_name("FILE"), "configuration to start from (JSON)");
  add("set", po::value<std::vector<std::string>>()->composing()->value_name("KEY=VALUE"),
      "any entry of the configuration, e.g. space.channels=8");
  return options;
}

po::variables_map parse(const po::options_description& described,
                        const std::vector<std::string>& words) {
  po::variables_map values;
  try {
    const int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;
    po::store(po::command_line_parser(words).options(described).positional({}).style(style).run(),
              values);
    return values;
  } catch (const po::unknown_option& error) {
    std::vector<std::string> known;
    for (const auto& option : described.options()) {
      known.push_back("--" + option->long_name());
    }
    TORCH_CHECK(false, "unknown option ", error.get_option_name(),
                suggestion(error.get_option_name(), known));
  } catch (const po::too_many_positional_options_error&) {
    TORCH_CHECK(false, "unexpected word among the options: every option begins with --");
  } catch (const po::error& error) {
    TORCH_CHECK(false, error.what());
  }
}

void set(Json& config, const OptionRow& row, const po::variable_value& value) {
  const std::string key = row.key;
  const size_t dot = key.find('.');
  Json& target = config[key.substr(0, dot)][key.substr(dot + 1)];
  if (row.type == OptionRow::Type::Flag) {
    target = true;
  } else if (row.type == OptionRow::Type::Text) {
    target = value.as<std::string>();
  } else {
    set_by_path(config, key + "=" + value.as<std::string>());
  }
}

/// Removes `name` from a section and returns it.
std::string take_name(Json& section, const std::string& where, const std::string& fallback) {
  const Json name = section.value("name", Json(fallback));
  TORCH_CHECK(name.is_string(), where, ": name must be a text, got ", name.dump());
  section.erase("name");
  return name.get<std::string>();
}

/// Fills in the defaults of `given`, which must have no other keys.
void complete(Json& given, const Json& defaults, const std::string& where) {
  check_options(given, defaults, where);
  given = merged(defaults, given);
}

bool is_file(const std::string& space) {
  return space.size() > 5 && space.compare(space.size() - 5, 5, ".json") == 0;
}

void check_known(const std::string& what, const std::string& name,
                 const std::vector<std::string>& known) {
  TORCH_CHECK(std::find(known.begin(), known.end(), name) != known.end(), "unknown ", what, " '",
              name, "'", suggestion(name, known));
}

/// The forms in which `command` shows things.
std::vector<std::string> formats_of(const std::string& command) {
  return command == "space" ? std::vector<std::string>{"text", "ir", "search-space", "dot"}
                            : std::vector<std::string>{"text", "json", "csv"};
}

void check_run(const RunOptions& run, const std::string& command) {
  check_known("device", run.device, {"cpu", "cuda"});
  check_known("precision", run.precision, {"fp32", "fp64", "bf16", "fp16"});
  TORCH_CHECK(run.precision != "fp16" || run.device == "cuda",
              "--precision fp16 is for --device cuda: on a CPU take --precision bf16");
  check_known("executor", run.executor, {"reference", "fused"});
  check_known("format", run.format, formats_of(command));
  TORCH_CHECK(run.k >= 1, "-k must be at least 1, got ", run.k);
  TORCH_CHECK(run.time_limit >= 0, "--time-limit must be at least 0, got ", run.time_limit);
  TORCH_CHECK(run.threads >= 0, "--threads must be at least 0, got ", run.threads);
  TORCH_CHECK(run.timeout > 0, "run.timeout must be above 0 seconds, got ", run.timeout);
  TORCH_CHECK(run.seed >= 0, "--seed must be at least 0, got ", run.seed);
}

bool tries_models(const std::string& command) {
  return command == "explore" || command == "rank" || command == "trial";
}

/// Returns whether `command` reads a section of the configuration; a configuration file may contain
/// sections of other commands.
bool reads(const std::string& command, const std::string& section) {
  if (section == "algorithm") {
    return command == "search";
  }
  if (section == "profile") {
    return command == "profile" || command == "space" || command == "explore";
  }
  if (section == "evaluator" && command == "space") {
    return true;  // its options may be choices
  }
  if (section == "runner") {
    return command == "explore";
  }
  const bool exploring = section == "strategy" || section == "evaluator" || section == "experiment";
  return !exploring || tries_models(command);
}

bool accepts(const Command& command, const std::string& option) {
  return std::find(command.accepted.begin(), command.accepted.end(), option) !=
         command.accepted.end();
}

/// Throws where an option that `command` cannot do without was given nowhere.
void check_required(const Json& json, const Command& command) {
  if (json.value("/run/debug"_json_pointer, Json()) == true) {
    return;
  }
  for (const OptionRow& row : shared_options()) {
    const auto& names = command.required;
    if (std::find(names.begin(), names.end(), row.name) == names.end()) {
      continue;
    }
    std::string path = row.key;
    std::replace(path.begin(), path.end(), '.', '/');
    const bool given = json.value(Json::json_pointer("/" + path), "") != "";
    const bool is_word =
        command.positional != nullptr && std::string(command.positional) == row.key;
    const bool is_folder = path == "run/out";
    TORCH_CHECK(given || !is_word, command.name, " needs ",
                is_folder ? "a run directory" : "a file", ": retia ", command.name,
                is_folder ? " DIR" : " FILE");
    TORCH_CHECK(given, command.name, " needs --", row.name, " VALUE: ", row.help);
  }
}

void check_experiment(const ExperimentOptions& experiment) {
  TORCH_CHECK(experiment.max_trials >= 0, "--max-trials must be at least 0, got ",
              experiment.max_trials);
  TORCH_CHECK(experiment.max_duration >= 0, "--max-duration must be at least 0, got ",
              experiment.max_duration);
  TORCH_CHECK(experiment.concurrency >= 1, "--concurrency must be at least 1, got ",
              experiment.concurrency);
  TORCH_CHECK(experiment.merge >= 1, "--merge must be at least 1, got ", experiment.merge);
  check_costs(experiment.costs);
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
}

}  // namespace

const std::vector<OptionRow>& shared_options() {
  using Type = OptionRow::Type;
  static const std::vector<OptionRow> rows = {
      {"space", "space.name", Type::Text, "model space: a name or a .json file"},
      {"algorithm", "algorithm.name", Type::Text, "how to search: darts, spos, gdas, …"},
      {"strategy", "strategy.name", Type::Text, "how to explore: random, evolution, tpe, …"},
      {"evaluator", "evaluator.name", Type::Text,
       "what scores a model: classification, regression, table or command"},
      {"architecture", "run.architecture", Type::Text, "architecture as JSON"},
      {"checkpoint", "run.checkpoint", Type::Text, "run directory to take weights from"},
      {"data", "data.name", Type::Text, "data set"},
      {"data-dir", "data.dir", Type::Text, "folder with its files"},
      {"out", "run.out", Type::Text, "run directory: new, empty, or with --resume"},
      {"epochs", "trainer.epochs", Type::Number, "passes through the training samples"},
      {"batch-size", "trainer.batch_size", Type::Number, "samples of a step, over all ranks"},
      {"seed", "run.seed", Type::Number, "of weights, data order, split and search"},
      {"max-trials", "experiment.max_trials", Type::Number, "models to try; 0: until exhausted"},
      {"max-duration", "experiment.max_duration", Type::Number, "seconds; 0: no limit"},
      {"concurrency", "experiment.concurrency", Type::Number, "how many jobs run at once"},
      {"merge", "experiment.merge", Type::Number, "how many models make a job, to share its work"},
      {"keep-weights", "experiment.keep_weights", Type::Number,
       "of how many of the best trials the weights stay"},
      {"runner", "runner.name", Type::Text, "where trials run: inline, local or slurm"},
      {"use-active-gpu", "runner.use_active_gpu", Type::Flag, "also GPUs that others compute on"},
      {"device", "run.device", Type::Text, "cpu or cuda"},
      {"precision", "run.precision", Type::Text,
       "fp32, fp64, or by autocast bf16 or (on a GPU) fp16"},
      {"executor", "run.executor", Type::Text, "reference or fused"},
      {"threads", "run.threads", Type::Number, "of one operation; 0: all cores"},
      {"format", "run.format", Type::Text,
       "space: text, ir, search-space or dot; else: text, json or csv"},
      {"time-limit", "run.time_limit", Type::Number,
       "seconds, then the run is saved and ends as on Ctrl-C; 0: none"},
      {"k", "run.k", Type::Number, "how many of the best trials"},
      {"export", "run.exported", Type::Text, "folder for the models of the best trials, one each"},
      {"profile", "run.profile", Type::Flag, "costs of each operation of one architecture"},
      {"plan", "run.plan", Type::Flag, "what the fused executor makes of the search network"},
      {"table", "profile.table", Type::Text, "table of latencies (JSON)"},
      {"force", "profile.force", Type::Flag, "measure again what the table holds"},
      {"debug", "run.debug", Type::Flag, "one trial in this process, and nothing written"},
      {"resume", "run.resume", Type::Flag, "continue what --out holds, or start there"},
      {"quiet", "run.quiet", Type::Flag, "no progress"},
  };
  return rows;
}

std::string describe_options(const std::vector<std::string>& accepted) {
  std::ostringstream text;
  text << describe(accepted);
  return text.str();
}

Config read_config(const Program& program, const Command& command,
                   const std::vector<std::string>& words) {
  std::vector<std::string> options = words;
  Json json = Json::object();
  const bool named =
      command.positional != nullptr && !options.empty() && options.front().rfind('-', 0) != 0;
  const std::string first = named ? options.front() : "";
  if (named) {
    options.erase(options.begin());
  }
  const po::variables_map values = parse(describe(command.accepted), options);
  if (values.count("config") != 0) {
    const auto file = values["config"].as<std::string>();
    json = read_json(file);
    TORCH_CHECK(json.is_object(), file, ": expected an object of sections");
    for (const char* header : {"format", "version", "command"}) {
      json.erase(header);
    }
  }
  for (const OptionRow& row : shared_options()) {
    if (values.count(row.name) != 0) {
      set(json, row, values[row.name]);
    }
    if (named && std::string(row.key) == command.positional) {
      set(json, row, po::variable_value(first, false));
    }
  }
  if (values.count("set") != 0) {
    for (const std::string& assignment : values["set"].as<std::vector<std::string>>()) {
      const std::string section = assignment.substr(0, assignment.find('.'));
      TORCH_CHECK(reads(command.name, section), "--set ", assignment, ": ", command.name,
                  " has no ", section, ", remove it");
      set_by_path(json, assignment);
    }
  }
  for (const auto& [section, content] : json.items()) {
    check_known("section of the configuration", section, kSections);
    TORCH_CHECK(content.is_object(), section, ": expected an object, got ", content.dump());
  }

  Config config;
  const std::string name = command.name;
  config.command = name;
  config.data = options_from_json<DataOptions>(json.value("data", Json::object()), "data");
  config.trainer =
      options_from_json<TrainerOptions>(json.value("trainer", Json::object()), "trainer");
  config.weight_optimizer = options_from_json<SgdOptions>(
      json.value("weight_optimizer", Json::object()), "weight_optimizer");
  config.run = options_from_json<RunOptions>(json.value("run", Json::object()), "run");
  config.profile =
      options_from_json<ProfileOptions>(json.value("profile", Json::object()), "profile");
  check_run(config.run, name);
  check_known("data set", config.data.name, program.data_sets.names());
  TORCH_CHECK(config.trainer.batch_size >= 1, "--batch-size must be at least 1, got ",
              config.trainer.batch_size);
  TORCH_CHECK(config.trainer.epochs >= 1, "--epochs must be at least 1, got ",
              config.trainer.epochs);
  check_trainer_options(config.trainer);
  check_sgd_options(config.weight_optimizer);

  if (!accepts(command, "space")) {
    check_required(json, command);
    return config;
  }
  config.space_options = json.value("space", Json::object());
  config.space = take_name(config.space_options, "space", "");
  TORCH_CHECK(!config.space.empty(), "no space was given: add --space NAME, one of ",
              suggestion("", program.spaces.names()).substr(std::string("; known: ").size()));
  check_required(json, command);
  if (is_file(config.space)) {
    TORCH_CHECK(config.space_options.empty(), "space: a file takes no options, got ",
                config.space_options.begin().key());
  } else {
    const Json defaults = name == "retrain" ? program.spaces.evaluation_options(config.space)
                                            : program.spaces.search_options(config.space);
    complete(config.space_options, defaults, "space '" + config.space + "'");
  }
  if (name == "search") {
    config.algorithm_options = json.value("algorithm", Json::object());
    config.algorithm = take_name(config.algorithm_options, "algorithm", "darts");
    complete(config.algorithm_options, program.algorithms.defaults(config.algorithm),
             "algorithm '" + config.algorithm + "'");
  }
  if (tries_models(name)) {
    config.strategy_options = json.value("strategy", Json::object());
    config.strategy = take_name(config.strategy_options, "strategy", "random");
    complete(config.strategy_options, program.strategies.defaults(config.strategy),
             "strategy '" + config.strategy + "'");
    config.experiment = options_from_json<ExperimentOptions>(
        json.value("experiment", Json::object()), "experiment");
    if (config.experiment.window.table.empty()) {
      config.experiment.window.table = config.profile.table;
    }
    check_experiment(config.experiment);
    TORCH_CHECK(config.trainer.accumulate == 1 && config.trainer.ema == 0, name,
                ": trials neither accumulate gradients nor average weights, remove "
                "trainer.accumulate and trainer.ema");
    read_evaluator(program, json, config);
  }
  if (reads(name, "runner")) {
    config.runner_options = json.value("runner", Json::object());
    config.runner = take_name(config.runner_options, "runner", "inline");
    complete(config.runner_options, program.runners.defaults(config.runner),
             "runner '" + config.runner + "'");
  }
  if (name == "space") {
    read_evaluator(program, json, config);
  }
  return config;
}

Json Config::resolved() const {
  Json json = {{"command", command},     {"data", data},
               {"trainer", trainer},     {"run", run},
               {"space", space_options}, {"weight_optimizer", weight_optimizer}};
  json["space"]["name"] = space;
  if (command == "search") {
    json["algorithm"] = algorithm_options;
    json["algorithm"]["name"] = algorithm;
  }
  if (tries_models(command)) {
    json["strategy"] = strategy_options;
    json["strategy"]["name"] = strategy;
    json["evaluator"] = evaluator_options;
    json["evaluator"]["name"] = evaluator;
    json["experiment"] = experiment;
  }
  if (reads(command, "runner")) {
    json["runner"] = runner_options;
    json["runner"]["name"] = runner;
  }
  return json;
}

}  // namespace retia
