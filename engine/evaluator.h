#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "engine/ir/graph.h"
#include "engine/strategy.h"

namespace retia {

enum class Direction { Maximise, Minimise };

/// What an evaluator measures to compare models by.
struct Objective {
  std::string name;
  Direction direction = Direction::Maximise;
};

/// What an evaluator may know of the trial that it scores a model for.
struct Trial {
  Proposal proposal = {};
  std::function<bool()> stop_requested = [] { return false; };  ///< asked now and then
};

/// How good a model is.
struct Evaluation {
  TrialStatus status = TrialStatus::Succeeded;  ///< Stopped: stop_requested said so
  std::vector<double> objectives = {};          ///< as many as Evaluator::objectives()
  std::map<std::string, double> metrics = {};   ///< anything else worth keeping
  std::string error = {};                       ///< one line, of a failure
};

/// Scores models.
class Evaluator {
 public:
  virtual ~Evaluator() = default;

  virtual std::vector<Objective> objectives() const { return {{.name = "score"}}; }

  /// Scores `model`, which has no choices left. May throw: that trial then has failed.
  virtual Evaluation evaluate(const ir::Graph& model, const Trial& trial) = 0;

  /// `{"name": …, "options": {…}}`: what a table of evaluators makes an equal one from, also in
  /// another process.
  virtual Json to_json() const = 0;
};

}  // namespace retia
