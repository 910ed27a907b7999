#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/architecture.h"
#include "engine/base_mutator.h"
#include "engine/json.h"

namespace retia {

/// Decides by architectures: a decision per label, which all choices of the label follow. May own
/// parameters (alphas, a controller). To write one: sample_search, sample_final and, to blend,
/// weights.
class Mutator : public BaseMutator {
 public:
  using BaseMutator::BaseMutator;

  /// Samples a decision for every choice; holds until the next reset or apply.
  void reset() final;

  /// Decides as `architecture` says. Throws unless it decides each mutable validly and nothing
  /// else.
  void apply(const Architecture& architecture);

  /// Whether an architecture holds: after the first reset or apply.
  bool has_decided() const { return current_.size() == mutables().size(); }

  /// The architecture that holds now. Throws before the first reset or apply.
  const Architecture& current() const;

  /// The architecture that the search has come to. Changes nothing, not even a generator.
  Architecture export_architecture() const;

  /// The decisions of a search step. All randomness of the step is drawn here.
  virtual Architecture sample_search() = 0;

  /// The decisions of a step that trains the architecture, where they differ from those of a step
  /// that trains weights.
  virtual Architecture sample_architecture_step() { return sample_search(); }

  /// Told after such a step has changed the parameters.
  virtual void end_architecture_step() {}

  /// The decisions to keep.
  virtual Architecture sample_final() const = 0;

  /// Told before each step which part of the search is done, 0 to 1: for temperatures and phases.
  virtual void set_progress(double) {}

  /// How the chosen candidates are blended: `[n chosen]`, differentiable, on the model's device and
  /// of its dtype; undefined: plain selection (several are summed). Asked once per forward pass and
  /// label.
  virtual at::Tensor weights(const Mutable& choice) const;

  /// Of a layer choice of which one candidate is chosen: gates that are learnt by what all would
  /// make, `[n candidates]`, differentiable, 1 for the chosen one and 0 for the others; undefined:
  /// there are none. Only the chosen one runs forward (see gated.h). Asked like weights.
  virtual at::Tensor gates(const Mutable& choice) const;

  /// Of each label that it has learnt something of, how likely each candidate is: for people.
  virtual std::map<std::string, std::vector<double>> probabilities() const { return {}; }

  /// What a checkpoint needs beside the parameters: generators, counters.
  virtual Json state() const { return Json::object(); }
  virtual void load_state(const Json&) {}

  at::Tensor on_forward_layer_choice(LayerChoiceImpl& choice, at::TensorList inputs) final;
  at::Tensor on_forward_input_choice(InputChoiceImpl& choice, at::TensorList inputs) final;
  std::vector<at::Tensor> on_select_inputs(InputChoiceImpl& choice, at::TensorList inputs) final;
  const Verdict* verdict(const Mutable& choice) final;
  void begin_forward() final;
  void end_forward() final;

 private:
  struct Ruling {
    Verdict verdict;
    std::vector<at::Tensor> weights;  // one scalar per chosen candidate; empty: plain selection
    at::Tensor gates;                 // undefined: none
  };
  const Ruling& ruling(const std::string& label);

  Architecture current_;
  std::map<std::string, Ruling> rulings_;  // of the pass that runs
  int forward_depth_ = 0;
};

}  // namespace retia
