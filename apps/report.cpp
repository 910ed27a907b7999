#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>

#include "retia/apps/commands.h"
#include "retia/apps/run_observer.h"
#include "retia/apps/trial_list.h"
#include "retia/apps/workbench.h"
#include "retia/engine/experiment/failures.h"
#include "retia/engine/io/checkpoint.h"
#include "retia/engine/io/files.h"
#include "retia/engine/space/architecture_json.h"

namespace retia {
namespace {

using Facts = nlohmann::ordered_json;

constexpr size_t kCauses = 10;  // of failures that are shown

/// Returns the last line of the log; empty where there is none.
std::string last_line(const std::filesystem::path& log) {
  std::ifstream file(log);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    last = line;
  }
  return last;
}

constexpr const char* kFinishedFile = "finished.json";
constexpr const char* kRunning = "running";
constexpr const char* kFinished = "finished";
constexpr const char* kStopped = "stopped: continue with --resume";
constexpr const char* kFailing =
    "stopped by failures in a row: mend their cause, continue with --resume --retry failed";
constexpr const char* kCrashed = "crashed: continue with --resume";

/// Returns the state of a training that is not running: stopped by a signal or the time limit, or
/// crashed, which the log does not tell.
std::string state_of_training(const std::filesystem::path& run) {
  if (std::filesystem::exists(run / kFinishedFile)) {
    return kFinished;
  }
  const bool stopped = last_line(run / "log.txt").find("stopped ") != std::string::npos;
  return stopped ? kStopped : kCrashed;
}

/// Returns the state of an experiment that is not running.
std::string state_of_trials(const ListedTrials& listed) {
  const std::string ending =
      listed.runs.empty() ? "" : listed.runs.back().at("ending").get<std::string>();
  if (ending.empty()) {
    return kCrashed;
  }
  if (ending == Json(ExperimentEnding::Failures)) {
    return kFailing;
  }
  return ending == Json(ExperimentEnding::Stopped) ? kStopped
                                                   : std::string(kFinished) + ": " + ending;
}

/// Returns the lines of metrics.jsonl, without a last one that is still being written. Throws, naming
/// it, where one is damaged.
std::vector<Json> metrics_of(const std::filesystem::path& run) {
  const std::filesystem::path path = run / "metrics.jsonl";
  std::vector<Json> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line) && !file.eof();) {
    Json metrics = Json::parse(line, nullptr, false);
    TORCH_CHECK(metrics.is_object(), path.string(), ", line ", lines.size() + 1,
                ": is damaged: expected the numbers of an epoch as a JSON object");
    lines.push_back(std::move(metrics));
  }
  return lines;
}

std::string clock(double seconds) {
  const auto whole = static_cast<int64_t>(seconds);
  char text[32];
  std::snprintf(text, sizeof text, "%d:%02d:%02d", static_cast<int>(whole / 3600),
                static_cast<int>(whole / 60 % 60), static_cast<int>(whole % 60));
  return text;
}

void add_training(Facts& facts, const std::filesystem::path& run, bool running) {
  const std::vector<Json> epochs = metrics_of(run);
  if (epochs.empty()) {
    facts["epochs"] = "none is done yet";
    return;
  }
  const Json& last = epochs.back();
  facts["epochs"] =
      c10::str(last.value("epoch", int64_t{0}), "/", last.value("epochs", int64_t{0}));
  double seconds = 0;
  const Json* best = nullptr;
  for (const Json& epoch : epochs) {
    seconds += epoch.value("seconds", 0.0);
    if (epoch.contains("valid_accuracy") &&
        (best == nullptr || epoch["valid_accuracy"] > (*best)["valid_accuracy"])) {
      best = &epoch;
    }
  }
  facts["time"] = clock(seconds);
  if (running) {
    const auto left = last.value("epochs", 0.0) - last.value("epoch", 0.0);
    facts["left"] = clock(left * seconds / static_cast<double>(epochs.size()));
  }
  for (const char* name :
       {"loss", "accuracy", "valid_loss", "valid_accuracy", "lr", "images_per_second",
        "peak_memory", "gpu_peak_memory", "loss_scale", "skipped_steps"}) {
    if (last.contains(name)) {
      facts[name] = last[name];
    }
  }
  if (best != nullptr) {
    facts["best"] = c10::str("valid accuracy ", percent((*best)["valid_accuracy"].get<double>()),
                             " after epoch ", (*best)["epoch"].get<int64_t>());
  }
  if (std::filesystem::exists(run / kFinishedFile)) {
    const Json results = read_json(run / kFinishedFile);
    if (results.contains("test_accuracy")) {
      facts["test_accuracy"] = results["test_accuracy"];
    }
  }
  const std::vector<int64_t> steps = CheckpointStore(run / "checkpoints").steps();
  facts["checkpoint"] = steps.empty() ? Facts() : Facts(c10::str("step ", steps.back()));
}

void add_trials(Facts& facts, const ListedTrials& listed, bool running) {
  std::map<std::string, int64_t> counts;
  FailureCounts failures;
  for (const Json& trial : listed.trials) {
    const bool interrupted = trial.at("status") == TrialStatus::Running && !running;
    ++counts[interrupted ? "interrupted" : trial.at("status").get<std::string>()];
    if (trial.at("status") == TrialStatus::Failed) {
      failures.add(trial.at("error"));
    }
  }
  facts["trials"] = listed.trials.size();
  double seconds = 0;
  for (const Json& past : listed.runs) {
    seconds += past.at("seconds").get<double>();
  }
  facts["time"] = clock(seconds);
  for (const auto& [status, n] : counts) {
    facts[status] = n;
  }
  const std::vector<FailureCounts::Cause> causes = failures.sorted();
  for (size_t i = 0; i < std::min(causes.size(), kCauses); ++i) {
    facts["failures"][causes[i].example] = causes[i].n;
  }
  const std::vector<Json> best = best_trials(listed, 1);
  if (!best.empty()) {
    facts["best"] =
        c10::str("trial ", best[0]["trial"].get<int64_t>(), ", ",
                 shown_with_direction(listed.objectives.front(), best[0]["metric"].get<double>()));
  }
}

std::string text_of(const Facts& facts, const std::string& format) {
  if (format == "json") {
    return facts.dump(2) + "\n";
  }
  std::string text;
  for (const auto& [name, value] : facts.items()) {
    const Json form = format == "text" ? rounded(value) : Json(value);
    const std::string cell = form.is_string() ? form.get<std::string>() : form.dump();
    if (format == "csv") {
      text.append(name).append(",").append(csv_field(cell)).append("\n");
    } else if (value.is_object()) {
      text.append(name).append("\n");
      for (const auto& [label, choice] : value.items()) {
        text.append("  ").append(label).append(": ").append(choice.dump()).append("\n");
      }
    } else {
      text.append(name)
          .append(20 - std::min<size_t>(name.size(), 18), ' ')
          .append(cell)
          .append("\n");
    }
  }
  return text;
}

struct ReportOptions {
  std::string format = "text";
};
std::vector<Option> declared(ReportOptions& o) { return {format_option(o.format)}; }

int run_report(const Program&, const Config& config, const ReportOptions& options) {
  const std::filesystem::path run = config.run.out;
  const Json written_config = read_format(run / "config.json", "retia.config", 1);
  const auto entry = [&](const std::string& path) {
    return written_config.value(Json::json_pointer(path), std::string());
  };
  const std::string command = entry("/command");
  Facts facts;
  facts["run"] = run.string();
  facts["command"] = command;
  facts["space"] = entry("/space/name");
  facts["data"] = entry("/data/name");
  for (const char* method : {"algorithm", "strategy", "evaluator"}) {
    if (written_config.contains(method)) {
      facts[method] = entry(c10::str("/", method, "/name"));
    }
  }
  const bool running = RunDirectory::is_in_use(run);
  if (command == "explore") {
    const ListedTrials listed = trials_in(config.run.out);
    facts["state"] = running ? kRunning : state_of_trials(listed);
    add_trials(facts, listed, running);
  } else {
    facts["state"] = running ? kRunning : state_of_training(run);
    add_training(facts, run, running);
  }
  if (std::filesystem::exists(run / "architecture.json")) {
    facts["choices"] = read_json(run / "architecture.json").at("choices");
  }
  std::cout << text_of(facts, options.format);
  return kDone;
}

}  // namespace

Command commands::report() {
  return configured({.name = "report",
                     .summary = "how far a run is, and what it has found",
                     .positional = "run.out",
                     .required = {"out"}},
                    run_report);
}

}  // namespace retia
