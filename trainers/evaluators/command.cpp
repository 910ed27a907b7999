#include "retia/trainers/evaluators/command.h"

#include <c10/util/Exception.h>

#include <cmath>
#include <cstring>

#include "retia/engine/io/process.h"
#include "retia/engine/ir/json.h"
#include "retia/trainers/evaluators/trial_training.h"

namespace retia {
namespace {

/// The last line that is not empty; empty: none.
std::string last_line(const std::string& text) {
  const size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) {
    return "";
  }
  const size_t before = text.rfind('\n', end);
  const size_t begin = before == std::string::npos ? 0 : before + 1;
  return text.substr(begin, end + 1 - begin);
}

/// Returns what went wrong, in one line; empty where nothing did.
std::string failure(const ProcessResult& result, double time_limit) {
  const std::string said = last_line(result.err);
  switch (result.ending) {
    case ProcessEnding::TimedOut:
      return c10::str("the command ran longer than ", time_limit, " seconds");
    case ProcessEnding::Killed:
      return c10::str("the command was ended by signal ", result.code, " (",
                      ::strsignal(result.code), ")", said.empty() ? "" : ": " + said);
    default:
      return result.code == 0 ? ""
             : said.empty()   ? c10::str("the command ended with code ", result.code)
                              : said;
  }
}

Evaluation read_evaluation(const std::string& out) {
  const std::string line = last_line(out);
  const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (json.is_number()) {
    return {.objectives = {json.get<double>()}};
  }
  const char* key = json.is_object() && json.contains("metric") ? "metric" : "default";
  TORCH_CHECK(json.is_object() && json.contains(key) && json[key].is_number(),
              "the last line that the command printed is '", line,
              "', expected a number or an object with a number as \"metric\"");
  Evaluation evaluation{.objectives = {json[key].get<double>()}};
  for (const auto& [name, value] : json.items()) {
    if (value.is_number() && name != key) {
      evaluation.metrics[name] = value.get<double>();
    }
  }
  return evaluation;
}

/// Reads the lines that a command prints while it runs.
class Intermediate {
 public:
  explicit Intermediate(const Trial& trial) : trial_(trial) {}

  /// Reads one line. Lines after the trial has fallen below its pruning threshold are ignored, so
  /// that the time at which the command dies makes no difference.
  void read(const std::string& line) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (is_over() || !json.is_object() || !json.contains("intermediate")) {
      return;
    }
    const Json& value = json["intermediate"];
    if (!value.is_number() || !std::isfinite(value.get<double>())) {
      error_ = c10::str("the command printed '", line, "', expected a number as \"intermediate\"");
      return;
    }
    values_.push_back(value.get<double>());
    is_below_ = below_floors(trial_, Direction::Maximise, values_);
  }

  bool is_over() const { return is_below_ || !error_.empty(); }

  /// Returns the evaluation of a trial that is over: failed, or stopped below its pruning
  /// threshold.
  Evaluation evaluation() const {
    if (!error_.empty()) {
      return {.status = TrialStatus::Failed, .error = error_};
    }
    return {.objectives = {values_.back()},
            .metrics = {{"epochs", static_cast<double>(values_.size())}},
            .intermediate = values_};
  }

  const std::vector<double>& values() const { return values_; }

 private:
  const Trial& trial_;
  std::vector<double> values_;
  std::string error_;
  bool is_below_ = false;
};

}  // namespace

CommandEvaluator::CommandEvaluator(const CommandOptions& options) : options_(options) {
  TORCH_CHECK(!options.command.empty(),
              "evaluator 'command' needs a command: --set evaluator.command=\"…\"");
  TORCH_CHECK(options.time_limit >= 0, "evaluator 'command': time_limit must be at least 0, got ",
              options.time_limit);
}

Evaluation CommandEvaluator::evaluate(const Trial& trial) {
  Intermediate intermediate(trial);
  const ProcessResult result = run_process(
      options_.command,
      {.input = ir::to_json(*trial.model).dump() + "\n",
       .environment = {c10::str("RETIA_TRIAL=", trial.proposal.id),
                       c10::str("RETIA_EPOCHS=", trial.proposal.epochs),
                       c10::str("RETIA_CONTINUES=", trial.proposal.continues)},
       .time_limit = options_.time_limit,
       .stop_requested = [&] { return intermediate.is_over() || trial.stop_requested(); },
       .on_line = [&](const std::string& line) { intermediate.read(line); }});
  if (intermediate.is_over()) {
    return intermediate.evaluation();
  }
  if (result.ending == ProcessEnding::Stopped) {
    return {.status = TrialStatus::Stopped};
  }
  std::string error = failure(result, options_.time_limit);
  if (!error.empty()) {
    return {.status = TrialStatus::Failed, .error = std::move(error)};
  }
  Evaluation evaluation = read_evaluation(result.out);
  evaluation.intermediate = intermediate.values();
  return evaluation;
}

Json CommandEvaluator::to_json() const { return {{"name", "command"}, {"options", options_}}; }

}  // namespace retia
