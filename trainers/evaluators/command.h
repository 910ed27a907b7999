#pragma once

#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/io/option.h"
#include "retia/trainers/evaluators/stated_objectives.h"

namespace retia {

/// The options of scoring models by a command.
struct CommandOptions {
  std::string command = "";       ///< shell command, run by /bin/sh for each model
  std::string metric = "metric";  ///< name of the number that the command returns
  /// Direction of `metric`; unstated: maximise, or refused where it is named like a loss.
  StatedDirection direction = StatedDirection::Unstated;
  std::vector<StatedObjective> objectives = {};  ///< several numbers, instead of `metric`
  double time_limit = 0;                         ///< seconds per trial; 0: no limit
};
inline std::vector<Option> declared(CommandOptions& o) {
  return {
      option("command", o.command, "shell command, run for each model"),
      option("metric", o.metric, "name of the number that the command returns"),
      option("direction", o.direction, "which values of it are better; unstated: larger ones"),
      option("objectives", o.objectives, "several numbers instead, with their directions"),
      option("time_limit", o.time_limit, Range{0}, "seconds per trial; 0: no limit"),
  };
}

/// Throws where the objectives are not stated as they must be (see stated_objectives).
void check_together(const CommandOptions& options);

/// Lets a command, in any language, score a model. The command reads the model, a `retia.graph`
/// document, from its standard input, and RETIA_TRIAL, RETIA_EPOCHS (0: its own choice) and
/// RETIA_CONTINUES (-1: none) from its environment. The last line of its output is JSON: a number,
/// or an object with the number as "metric" (or "default", or under its name), or, of several
/// objectives, an object with each under its name; other numbers in the object are kept as metrics.
/// Earlier lines `{"intermediate": x}` give the number after each epoch, from the first, or an
/// object with each objective; where the first objective is worse than the trial's pruning
/// threshold, the command is killed and x is the score. NaN and infinity, and numbers as Python
/// writes them, are read too (see read_result_line): as the result they fail the trial, as an
/// intermediate value they keep the place of their epoch. A failing command fails its trial, with
/// its exit code and the last lines of its standard error.
class CommandEvaluator final : public Evaluator {
 public:
  /// Throws where the command is empty, the time limit negative, or a direction is missing.
  explicit CommandEvaluator(const CommandOptions& options);

  std::vector<Objective> objectives() const override { return objectives_; }
  Evaluation evaluate(const Trial& trial) override;
  Json to_json() const override;

 private:
  CommandOptions options_;
  std::vector<Objective> objectives_;
};

}  // namespace retia
