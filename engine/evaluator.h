#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "retia/engine/ir/graph.h"
#include "retia/engine/strategy.h"

namespace retia {

enum class Direction { Maximise, Minimise };
NLOHMANN_JSON_SERIALIZE_ENUM(Direction,
                             {{Direction::Maximise, "maximise"}, {Direction::Minimise, "minimise"}})

/// One quantity by which an evaluator compares models.
struct Objective {
  std::string name;
  Direction direction = Direction::Maximise;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Objective, name, direction)

/// The trial for which an evaluator scores a model.
struct Trial {
  Proposal proposal = {};
  /// Polled now and then by the evaluator.
  std::function<bool()> stop_requested = [] { return false; };
  /// A folder for weights from which later trials continue; empty: none is kept.
  std::filesystem::path weights = {};
  /// Pruning thresholds: the trial may end after epoch i (counted from 0) when its best first
  /// objective so far is worse than floors[i]. Epochs beyond the list have no threshold.
  std::vector<double> floors = {};
};

/// The result of scoring one model.
struct Evaluation {
  TrialStatus status = TrialStatus::Succeeded;  ///< Stopped: stop_requested returned true
  std::vector<double> objectives = {};          ///< one per entry of Evaluator::objectives()
  std::map<std::string, double> metrics = {};   ///< other numbers worth keeping
  std::vector<double> intermediate = {};        ///< the first objective after each epoch, if known
  std::string error = {};                       ///< one line; set when the trial failed
};

/// Scores models. An evaluator is rebuilt from its JSON in another process.
class Evaluator {
 public:
  virtual ~Evaluator() = default;

  virtual std::vector<Objective> objectives() const { return {{.name = "score"}}; }

  /// Returns whether evaluate() looks at the model. If false, no model is built: evaluate() gets an
  /// empty graph, and an architecture that has no valid model goes unnoticed.
  virtual bool reads_model() const { return true; }

  /// Scores `model`, a frozen graph. May throw: the trial has then failed.
  virtual Evaluation evaluate(const ir::Graph& model, const Trial& trial) = 0;

  /// Scores several models in one run, so that the work they share is done once. `trials` has one
  /// entry per model. Results equal those of evaluate() up to rounding. May throw: the models are
  /// then evaluated one by one. The default evaluates one after the other (see try_evaluate).
  virtual std::vector<Evaluation> evaluate_merged(std::span<const ir::Graph> models,
                                                  std::span<const Trial> trials);

  /// Returns `{"name": …, "options": {…}}`, from which a table of evaluators makes an equal
  /// evaluator, also in another process.
  virtual Json to_json() const = 0;
};

/// Evaluates one model. An exception becomes the error of a failed trial; a trial that is asked to
/// stop does not begin.
Evaluation try_evaluate(Evaluator& evaluator, const ir::Graph& model, const Trial& trial);

}  // namespace retia
