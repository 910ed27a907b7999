#pragma once

#include <map>
#include <string>
#include <vector>

#include "retia/engine/base/json.h"
#include "retia/engine/mutables/base_mutator.h"
#include "retia/engine/symbolic/architecture.h"

namespace retia {

/// Decides by architectures: one decision per label, shared by all choices of the label. May own
/// parameters (alphas, a controller). A subclass implements sample_search and sample_final, and
/// overrides weights in order to blend candidates.
class Mutator : public BaseMutator {
 public:
  using BaseMutator::BaseMutator;

  /// Applies sample_search(): new decisions, which hold until the next reset or apply.
  void reset() final;

  /// Sets the decisions to `architecture`. Throws unless it decides every mutable validly and
  /// nothing else.
  void apply(const Architecture& architecture);

  /// Returns whether decisions are set, i.e. reset or apply was called.
  bool has_decided() const { return current_.size() == mutables().size(); }

  /// Returns the decisions that hold now. Throws before the first reset or apply.
  const Architecture& current() const;

  /// Returns the search's final architecture, sample_final(), checked. Changes no state, not even a
  /// random generator.
  Architecture export_architecture() const;

  /// Samples the decisions of a search step. All randomness of the step is drawn in this call.
  virtual Architecture sample_search() = 0;

  /// Samples the decisions of a step that trains the architecture parameters; override where they
  /// differ from the decisions of a step that trains weights.
  virtual Architecture sample_architecture_step() { return sample_search(); }

  /// Called after an architecture step has changed the parameters.
  virtual void end_architecture_step() {}

  /// Returns the decisions to keep as the search's result.
  virtual Architecture sample_final() const = 0;

  /// Called before each step with the fraction of the search completed, in [0, 1]; for temperatures
  /// and phases.
  virtual void set_progress(double) {}

  /// Returns the blending weights of the chosen candidates: `[n chosen]`, differentiable, on the
  /// device and of the dtype of the model. Undefined: unweighted, several chosen candidates are
  /// summed. Called once per forward pass and label.
  virtual at::Tensor weights(const Mutable& choice) const;

  /// Returns the ProxylessNAS gates of a layer choice with one chosen candidate: `[n candidates]`,
  /// differentiable, one-hot at the chosen one. The forward pass runs only the chosen candidate;
  /// the backward pass runs the others to get the gradients of the gates (see gated.h). Undefined:
  /// no gates. Called once per forward pass and label.
  virtual at::Tensor gates(const Mutable& choice) const;

  /// Returns label → probability of each candidate, for the labels with something learnt; for
  /// display and metrics.
  virtual std::map<std::string, std::vector<double>> probabilities() const { return {}; }

  /// Returns the state that a checkpoint needs beside the parameters: generators, counters.
  virtual Json state() const { return Json::object(); }
  /// Restores a state that state() returned.
  virtual void load_state(const Json&) {}

  /// Returns the current decision with its weights or gates; never null.
  const Verdict* verdict(const Mutable& choice) final;
  void begin_forward() final;
  void end_forward() final;

 private:
  Verdict make_verdict(const std::string& label) const;

  Architecture current_;
  std::map<std::string, Verdict> verdicts_;  // label → verdict, for the forward pass that runs now
  int forward_depth_ = 0;
};

}  // namespace retia
