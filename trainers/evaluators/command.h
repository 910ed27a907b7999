#pragma once

#include "engine/evaluator.h"

namespace retia {

struct CommandOptions {
  std::string command = "";       ///< run by /bin/sh for each model
  std::string metric = "metric";  ///< what the command maximises, for people
  double time_limit = 0;          ///< seconds of a trial; 0: none
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(CommandOptions, command, metric, time_limit)

/// Lets a command in any language score a model. It reads the model, a `retia.graph` document, from
/// its standard input, and RETIA_TRIAL, RETIA_EPOCHS (0: as it likes) and RETIA_CONTINUES (-1:
/// none) from its environment. The last line of its output is JSON: a number, or an object with the
/// number as "metric" (or "default"); other numbers in it are kept as metrics. Lines
/// `{"intermediate": x}` before it say what the number would be after each epoch, from the first;
/// where one is below the trial's floors the command is killed, and x counts. A command that fails
/// fails its trial with the last line of its standard error.
class CommandEvaluator final : public Evaluator {
 public:
  explicit CommandEvaluator(const CommandOptions& options);

  std::vector<Objective> objectives() const override { return {{.name = options_.metric}}; }
  Evaluation evaluate(const ir::Graph& model, const Trial& trial) override;
  Json to_json() const override;

 private:
  CommandOptions options_;
};

}  // namespace retia
