#pragma once

#include <optional>
#include <span>
#include <vector>

#include "retia/engine/experiment/trial.h"

namespace retia {

/// Scores models. An evaluator is rebuilt from its JSON in another process.
class Evaluator {
 public:
  virtual ~Evaluator() = default;

  /// Returns what models are compared by, at least one; strategies with one objective use the
  /// first.
  virtual std::vector<Objective> objectives() const { return {{.name = "score"}}; }

  /// Returns whether evaluate() looks at the model. If false, no model is built: trials have none,
  /// and an architecture that has no valid model goes unnoticed.
  virtual bool reads_model() const { return true; }

  /// Scores the model of `trial`. May throw: the trial has then failed.
  virtual Evaluation evaluate(const Trial& trial) = 0;

  /// Scores several trials in one run, so that the work they share is done once. Results equal
  /// those of evaluate() up to rounding. None where these trials have no such run. May throw.
  virtual std::optional<std::vector<Evaluation>> evaluate_merged(std::span<const Trial> trials);

  /// Returns `{"name": …, "options": {…}}`, from which a table of evaluators makes an equal
  /// evaluator, also in another process.
  virtual Json to_json() const = 0;
};

/// Evaluates one trial. An exception becomes the error of a failed trial; a trial that is asked to
/// stop does not begin.
Evaluation try_evaluate(Evaluator& evaluator, const Trial& trial);

/// Evaluates two or more trials in one run. None where they have none, and where the run failed:
/// evaluated one by one, each trial then has a result or an error of its own.
std::optional<std::vector<Evaluation>> try_evaluate_merged(Evaluator& evaluator,
                                                           std::span<const Trial> trials);

}  // namespace retia
