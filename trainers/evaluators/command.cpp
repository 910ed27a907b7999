#include "retia/trainers/evaluators/command.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "retia/engine/io/process.h"
#include "retia/engine/ir/json.h"
#include "retia/trainers/evaluators/result_line.h"
#include "retia/trainers/evaluators/trial_training.h"

namespace retia {
namespace {

constexpr const char* kBlank = " \t\r\n";
constexpr int kLinesOfErrors = 3;        // that the message of a failed trial repeats
constexpr size_t kLengthOfErrors = 120;  // bytes of each

/// Takes the last line that is not empty off the end of `text`, without blanks around it; empty:
/// none is left.
std::string_view take_last_line(std::string_view& text) {
  text = text.substr(0, text.find_last_not_of(kBlank) + 1);
  const size_t begin = text.rfind('\n') + 1;
  const std::string_view line = text.substr(begin);
  text = text.substr(0, begin);
  return line.substr(std::min(line.find_first_not_of(kBlank), line.size()));
}

/// Returns the last lines that are not empty, in one.
std::string last_lines(std::string_view text) {
  std::string all;
  for (int i = 0; i < kLinesOfErrors; ++i) {
    const std::string_view line = take_last_line(text);
    if (!line.empty()) {
      all = std::string(line.substr(0, kLengthOfErrors)) + (all.empty() ? "" : " | " + all);
    }
  }
  return all;
}

/// Returns what went wrong, in one line, with what the command said last; empty where nothing did.
std::string failure(const ProcessResult& result, double time_limit) {
  const std::string last = last_lines(result.err);
  const std::string said = last.empty() ? "" : ": " + last;
  switch (result.ending) {
    case ProcessEnding::TimedOut:
      return c10::str("the command ran longer than ", time_limit, " seconds", said);
    case ProcessEnding::Killed:
      return c10::str("the command was ended by signal ", result.code, " (",
                      ::strsignal(result.code), ")", said);
    default:
      return result.code == 0 ? "" : c10::str("the command ended with code ", result.code, said);
  }
}

bool has_number(const Json& json, const std::string& key) {
  return json.is_object() && json.contains(key) && json[key].is_number();
}

/// Returns the keys of the objectives in an object that a command printed; none: one is missing.
std::optional<std::vector<std::string>> keys_in(const Json& json,
                                                const std::vector<Objective>& objectives) {
  std::vector<std::string> keys;
  for (const Objective& objective : objectives) {
    std::vector<std::string> possible = {objective.name};
    if (objectives.size() == 1) {
      possible = {"metric", "default", objective.name};
    }
    const auto found = std::find_if(possible.begin(), possible.end(),
                                    [&](const auto& key) { return has_number(json, key); });
    if (found == possible.end()) {
      return std::nullopt;
    }
    TORCH_CHECK(*found == objective.name || !has_number(json, objective.name) ||
                    json[objective.name] == json[*found],
                "the command printed ", json[*found].dump(), " as \"", *found, "\" and ",
                json[objective.name].dump(), " as \"", objective.name,
                "\", which is the objective: print one of them");
    keys.push_back(*found);
  }
  return keys;
}

/// Returns the objectives that a number or an object holds; none: one is missing.
std::optional<std::vector<double>> values_in(const Json& json,
                                             const std::vector<Objective>& objectives) {
  if (json.is_number() && objectives.size() == 1) {
    return std::vector<double>{json.get<double>()};
  }
  const auto keys = keys_in(json, objectives);
  if (!keys) {
    return std::nullopt;
  }
  std::vector<double> values;
  for (const std::string& key : *keys) {
    values.push_back(json[key].get<double>());
  }
  return values;
}

/// Returns the form of a result, for messages.
std::string expected_form(const std::vector<Objective>& objectives) {
  if (objectives.size() == 1) {
    return "a number or an object with a number as \"metric\"";
  }
  std::string names;
  for (const Objective& objective : objectives) {
    names += (names.empty() ? "\"" : ", \"") + objective.name + "\"";
  }
  return "an object with the numbers " + names;
}

Evaluation read_evaluation(std::string_view out, const std::vector<Objective>& objectives) {
  const std::string line(take_last_line(out));
  const Json json = read_result_line(line);
  const auto values = values_in(json, objectives);
  TORCH_CHECK(values.has_value(), "the last line that the command printed is '", line,
              "', expected ", expected_form(objectives));
  Evaluation evaluation{.objectives = *values};
  if (json.is_object()) {
    const std::vector<std::string> keys = keys_in(json, objectives).value();
    for (const auto& [name, value] : json.items()) {
      if (value.is_number() && std::find(keys.begin(), keys.end(), name) == keys.end()) {
        evaluation.metrics[name] = value.get<double>();
      }
    }
  }
  return evaluation;
}

/// Reads the lines that a command prints while it runs.
class Intermediate {
 public:
  Intermediate(const Trial& trial, const std::vector<Objective>& objectives)
      : trial_(trial), objectives_(objectives) {}

  /// Reads one line. Lines after the trial has fallen below its pruning threshold are ignored, so
  /// that the time at which the command dies makes no difference.
  void read(const std::string& line) {
    const Json json = read_result_line(line);
    if (is_over() || !json.is_object() || !json.contains("intermediate")) {
      return;
    }
    try {
      add(json["intermediate"], line);
    } catch (const c10::Error& error) {
      error_ = error.what_without_backtrace();
    }
  }

  bool is_over() const { return is_below_ || !error_.empty(); }

  /// Returns the evaluation of a trial that is over: failed, or stopped below its pruning
  /// threshold.
  Evaluation evaluation() const {
    if (!error_.empty()) {
      return {.status = TrialStatus::Failed, .error = error_};
    }
    return {.objectives = last_,
            .metrics = {{"epochs", static_cast<double>(values_.size())}},
            .intermediate = values_};
  }

  const std::vector<double>& values() const { return values_; }

 private:
  void add(const Json& value, const std::string& line) {
    const auto all = values_in(value, objectives_);
    TORCH_CHECK(all || value.is_number(), "the command printed '", line, "', expected ",
                objectives_.size() == 1 ? "a number" : expected_form(objectives_),
                " as \"intermediate\"");
    last_ = all.value_or(std::vector<double>());
    values_.push_back(all ? all->front() : value.get<double>());
    // A trial of several objectives can end early only where the command tells them all.
    is_below_ = all && below_floors(trial_, objectives_.front().direction, values_);
  }

  const Trial& trial_;
  const std::vector<Objective>& objectives_;
  std::vector<double> values_;  // of the first objective, after each epoch
  std::vector<double> last_;    // of all objectives; empty: the command tells the first only
  std::string error_;
  bool is_below_ = false;
};

}  // namespace

void check_together(const CommandOptions& options) {
  stated_objectives(options.metric, options.direction, options.objectives, CommandOptions{}.metric);
}

CommandEvaluator::CommandEvaluator(const CommandOptions& options)
    : options_(options),
      objectives_(stated_objectives(options.metric, options.direction, options.objectives,
                                    CommandOptions{}.metric)) {
  TORCH_CHECK(!options.command.empty(),
              "evaluator 'command' needs a command: --set evaluator.command=\"…\"");
  check_declared(options, "evaluator 'command'");
}

Evaluation CommandEvaluator::evaluate(const Trial& trial) {
  Intermediate intermediate(trial, objectives_);
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
  Evaluation evaluation = read_evaluation(result.out, objectives_);
  evaluation.intermediate = intermediate.values();
  return evaluation;
}

Json CommandEvaluator::to_json() const { return {{"name", "command"}, {"options", options_}}; }

}  // namespace retia
