#pragma once

#include "retia/engine/experiment/evaluator.h"
#include "retia/engine/io/option.h"

namespace retia {

/// The options of scoring models by a command.
struct CommandOptions {
  std::string command = "";  ///< shell command, run by /bin/sh for each model
  /// Name of the number that the command returns and that is maximised.
  std::string metric = "metric";
  double time_limit = 0;  ///< seconds per trial; 0: no limit
};
inline std::vector<Option> declared(CommandOptions& o) {
  return {
      option("command", o.command, "shell command, run for each model"),
      option("metric", o.metric, "number that the command returns and that is maximised"),
      option("time_limit", o.time_limit, Range{0}, "seconds per trial; 0: no limit"),
  };
}

/// Lets a command, in any language, score a model. The command reads the model, a `retia.graph`
/// document, from its standard input, and RETIA_TRIAL, RETIA_EPOCHS (0: its own choice) and
/// RETIA_CONTINUES (-1: none) from its environment. The last line of its output is JSON: a number,
/// or an object with the number as "metric" (or "default"); other numbers in the object are kept as
/// metrics. Earlier lines `{"intermediate": x}` give the number after each epoch, from the first;
/// where x falls below the trial's pruning threshold, the command is killed and x is the score. A
/// failing command fails its trial, with the last line of its standard error as the message.
class CommandEvaluator final : public Evaluator {
 public:
  /// Throws where the command is empty or the time limit negative.
  explicit CommandEvaluator(const CommandOptions& options);

  std::vector<Objective> objectives() const override { return {{.name = options_.metric}}; }
  Evaluation evaluate(const Trial& trial) override;
  Json to_json() const override;

 private:
  CommandOptions options_;
};

}  // namespace retia
