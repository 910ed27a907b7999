#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "engine/ir/graph.h"
#include "engine/strategy.h"

namespace retia {

enum class Direction { Maximise, Minimise };
NLOHMANN_JSON_SERIALIZE_ENUM(Direction,
                             {{Direction::Maximise, "maximise"}, {Direction::Minimise, "minimise"}})

/// What an evaluator measures to compare models by.
struct Objective {
  std::string name;
  Direction direction = Direction::Maximise;
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Objective, name, direction)

/// What an evaluator may know of the trial that it scores a model for.
struct Trial {
  Proposal proposal = {};
  std::function<bool()> stop_requested = [] { return false; };  ///< asked now and then
  std::filesystem::path weights = {};  ///< a folder for what later trials continue; empty: none
  /// The trial may end early after epoch i, counted from 0, where its best first objective up to
  /// then is worse than floors[i]; beyond the last one it goes on.
  std::vector<double> floors = {};
};

/// How good a model is.
struct Evaluation {
  TrialStatus status = TrialStatus::Succeeded;  ///< Stopped: stop_requested said so
  std::vector<double> objectives = {};          ///< as many as Evaluator::objectives()
  std::map<std::string, double> metrics = {};   ///< anything else worth keeping
  std::vector<double> intermediate = {};        ///< the first objective after each epoch, if known
  std::string error = {};                       ///< one line, of a failure
};

/// Scores models.
class Evaluator {
 public:
  virtual ~Evaluator() = default;

  virtual std::vector<Objective> objectives() const { return {{.name = "score"}}; }

  /// Whether evaluate() looks at the model. Where not, none is made: the graph it is given is
  /// empty, and an architecture that makes no model is not noticed.
  virtual bool reads_model() const { return true; }

  /// Scores `model`, which has no choices left. May throw: that trial then has failed.
  virtual Evaluation evaluate(const ir::Graph& model, const Trial& trial) = 0;

  /// Scores several models at once, to share the work on what they have in common: each as
  /// evaluate() does, to rounding. trials: one a model. Here: one after the other.
  virtual std::vector<Evaluation> evaluate_merged(std::span<const ir::Graph> models,
                                                  std::span<const Trial> trials);

  /// `{"name": …, "options": {…}}`: what a table of evaluators makes an equal one from, also in
  /// another process.
  virtual Json to_json() const = 0;
};

}  // namespace retia
