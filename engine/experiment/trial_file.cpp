#include "retia/engine/experiment/trial_file.h"

#include <c10/util/Exception.h>

#include <cmath>

#include "retia/engine/io/files.h"
#include "retia/engine/io/options.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/space/architecture_json.h"

namespace retia {

NLOHMANN_JSON_SERIALIZE_ENUM(MutableKind, {{MutableKind::LayerChoice, "layer_choice"},
                                           {MutableKind::InputChoice, "input_choice"},
                                           {MutableKind::ValueChoice, "value_choice"}})

void to_json(Json& json, const Mutable& choice) {
  json = {{"label", choice.label}, {"kind", choice.kind},   {"names", choice.names},
          {"n_chosen", nullptr},   {"scope", choice.scope}, {"fed_by", choice.fed_by},
          {"zeros", choice.zeros}};
  if (choice.n_chosen) {
    json["n_chosen"] = *choice.n_chosen;
  }
}

void from_json(const Json& json, Mutable& choice) {
  json.at("label").get_to(choice.label);
  json.at("kind").get_to(choice.kind);
  json.at("names").get_to(choice.names);
  json.at("scope").get_to(choice.scope);
  json.at("fed_by").get_to(choice.fed_by);
  json.at("zeros").get_to(choice.zeros);
  const Json& n_chosen = json.at("n_chosen");
  choice.n_chosen = n_chosen.is_null() ? std::nullopt : std::optional(n_chosen.get<int64_t>());
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrialSetting, space, evaluator, device, precision, executor,
                                   threads, weights)

namespace {

constexpr const char* kTrialFormat = "retia.trial";
constexpr const char* kResultFormat = "retia.result";
constexpr int64_t kTrialFileVersion = 1;

/// Returns read(document) for the JSON document in `path`; errors are one line that names the file.
template <class Read>
auto read_document(const std::filesystem::path& path, const char* format, const Read& read) {
  const Json json = read_format(path, format, kTrialFileVersion);
  return ir::in_context(path.string(), [&] {
    try {
      return read(json);
    } catch (const Json::exception& error) {
      TORCH_CHECK(false, "is damaged: ", error.what());
    }
  });
}

// Where one is lost its trial is run again, and thousands a minute cannot wait for the disk. What a
// command said may be any bytes.
void write_document(const std::filesystem::path& path, const Json& json, Readers readers) {
  write_unsynchronised(path, json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n",
                       readers);
}

/// Writes a number; infinity and NaN, which JSON lacks, become a text such as "inf".
Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(std::to_string(value));
}

double number(const Json& json) {
  return json.is_string() ? std::stod(json.get<std::string>()) : json.get<double>();
}

Json numbers(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) {
    list.push_back(number(value));
  }
  return list;
}

std::vector<double> numbers(const Json& list) {
  std::vector<double> values;
  for (const Json& value : list) {
    values.push_back(number(value));
  }
  return values;
}

Json to_json(const Trial& trial) {
  const Evaluation& evaluation = trial.evaluation;
  Json metrics = Json::object();
  for (const auto& [name, value] : evaluation.metrics) {
    metrics[name] = number(value);
  }
  return {{"trial", trial.proposal.id},  {"architecture", trial.proposal.architecture.to_string()},
          {"status", evaluation.status}, {"objectives", numbers(evaluation.objectives)},
          {"metrics", metrics},          {"intermediate", numbers(evaluation.intermediate)},
          {"error", evaluation.error},   {"seconds", trial.seconds},
          {"host", trial.host}};
}

/// Returns `trial` with the result that `json` says it has.
Trial with_result(Trial trial, const Json& json) {
  const Proposal& proposal = trial.proposal;
  TORCH_CHECK(json.at("trial") == proposal.id &&
                  json.at("architecture") == proposal.architecture.to_string(),
              "is of trial ", json.at("trial").dump(), " with ", json.at("architecture").dump(),
              ", expected ", proposal.id, " with ", proposal.architecture.to_string());
  Evaluation& evaluation = trial.evaluation;
  evaluation = {.status = json.at("status"),
                .objectives = numbers(json.at("objectives")),
                .intermediate = numbers(json.at("intermediate")),
                .error = json.at("error")};
  TORCH_CHECK(Json(evaluation.status) == json.at("status"), "is damaged: unknown status ",
              json.at("status").dump());
  for (const auto& [name, value] : json.at("metrics").items()) {
    evaluation.metrics[name] = number(value);
  }
  trial.seconds = json.at("seconds");
  trial.host = json.at("host");
  return trial;
}

}  // namespace

void write_trial_file(const std::filesystem::path& path, const TrialFile& file) {
  Json trials = Json::array();
  for (const Trial& trial : file.job.trials) {
    trials.push_back({{"trial", trial.proposal.id},
                      {"choices", choices_to_json(trial.proposal.architecture, file.mutables)},
                      {"epochs", trial.proposal.epochs},
                      {"continues", trial.proposal.continues},
                      {"model", trial.model ? ir::to_json(*trial.model) : Json()}});
  }
  const Json document = {{"format", kTrialFormat},
                         {"version", kTrialFileVersion},
                         {"setting", file.setting},
                         {"mutables", file.mutables},
                         {"attempt", file.job.attempt},
                         {"floors", numbers(file.job.trials.at(0).floors)},
                         {"trials", trials}};
  write_document(path, document, Readers::Owner);  // a command may hold a password
}

TrialFile read_trial_file(const std::filesystem::path& path, const OperationTable& operations) {
  return read_document(path, kTrialFormat, [&](const Json& json) {
    TrialFile file{.setting = json.at("setting"), .mutables = json.at("mutables"), .job = {}};
    file.job.attempt = json.value("attempt", int64_t{0});
    for (const Json& trial : json.at("trials")) {
      const Json& model = trial.at("model");
      file.job.trials.push_back(
          {.proposal = {.id = trial.at("trial"),
                        .architecture = choices_from_json(trial.at("choices"), file.mutables),
                        .epochs = trial.at("epochs"),
                        .continues = trial.at("continues")},
           .weights = file.setting.weights,
           .floors = numbers(json.at("floors")),
           .model = model.is_null() ? std::nullopt
                                    : std::optional(ir::graph_from_json(model, operations))});
    }
    TORCH_CHECK(!file.job.trials.empty(), "is damaged: expected trials, found none");
    return file;
  });
}

int64_t attempt_of(const std::filesystem::path& trial_file) {
  try {
    return read_format(trial_file, kTrialFormat, kTrialFileVersion).value("attempt", int64_t{0});
  } catch (const std::exception&) {
    return 0;
  }
}

std::filesystem::path result_path(const std::filesystem::path& trial_file, int64_t attempt) {
  return std::filesystem::path(trial_file)
      .replace_filename(attempt == 0 ? "result.json" : c10::str("result-", attempt, ".json"));
}

Json results_to_json(const std::vector<Trial>& trials) {
  Json list = Json::array();
  for (const Trial& trial : trials) {
    list.push_back(to_json(trial));
  }
  return list;
}

std::vector<Trial> results_from_json(const Json& list, const Job& job) {
  TORCH_CHECK(list.size() == job.trials.size(), "holds ", list.size(), " results, expected ",
              job.trials.size());
  std::vector<Trial> trials;
  for (size_t i = 0; i < job.trials.size(); ++i) {
    trials.push_back(with_result(job.trials[i], list[i]));
  }
  return trials;
}

void write_results(const std::filesystem::path& trial_file, const std::vector<Trial>& trials,
                   int64_t attempt) {
  const Json document = {{"format", kResultFormat},
                         {"version", kTrialFileVersion},
                         {"results", results_to_json(trials)}};
  write_document(result_path(trial_file, attempt), document, Readers::All);
}

std::vector<Trial> read_results(const std::filesystem::path& trial_file, const Job& job) {
  return read_document(result_path(trial_file, job.attempt), kResultFormat, [&](const Json& json) {
    return results_from_json(json.at("results"), job);
  });
}

}  // namespace retia
