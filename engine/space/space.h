#pragma once

#include <vector>

#include "retia/engine/space/canonical.h"
#include "retia/engine/space/graph_mutator.h"
#include "retia/engine/space/setting.h"

namespace retia::ir {

/// A set of models, one per architecture: given by a graph with choices, or by a base graph and
/// graph mutators that are applied to it in order. A value.
///
/// The choices of graph mutators are found by dry runs: for each candidate of each choice, one run
/// with the decisions that led to the choice and first candidates for everything else. A choice
/// that appears only later, in no dry run, always takes its first candidate. A label whose
/// candidates differ between paths is described by indices, as many as its longest list has;
/// canonical() takes an index beyond a shorter list modulo the length of that list.
class Space {
 public:
  /// The models of a graph with choices.
  Space(Graph graph);  // NOLINT: every graph is a space
  /// The models that `mutators` make of `base`. Throws where the base has choices of its own.
  Space(Graph base, GraphMutators mutators);

  /// Returns the space extended by `settings`: an architecture decides these too, but the graph of
  /// its model does not depend on them. Throws where a label stands for another choice in the
  /// models.
  Space with(std::vector<Setting> settings) const;

  /// Returns the name of the graph with choices, or of the base graph.
  const std::string& name() const { return graph_.name(); }
  /// Returns the graph with choices, or the base graph.
  const Graph& graph() const { return graph_; }
  /// Returns the graph mutators, in the order in which they are applied; none for a graph with
  /// choices.
  const GraphMutators& mutators() const { return mutators_; }

  /// Returns the graph with choices. Throws where graph mutators make the models: such models share
  /// no weights.
  const Graph& supernet() const;

  /// Returns all choices, one per label.
  const std::vector<Mutable>& mutables() const { return mutables_; }

  /// Returns the frozen model of `architecture`, without choices and placeholders. Throws on labels
  /// that the space does not have, and on decisions that the model needs but that are missing or
  /// out of range.
  Graph model(const Architecture& architecture) const;

  /// Returns `architecture` without the labels that its model does not use. Architectures are
  /// hashed, stored and compared in this canonical form.
  Architecture canonical(const Architecture& architecture) const;

  /// Returns what canonical() returns; none where `architecture` has no valid model: an operation
  /// cannot be as it decides (see OperationKind::obstacle), or a graph mutator throws. Throws on
  /// missing decisions where model() does.
  std::optional<Architecture> find_canonical(const Architecture& architecture) const;
  /// Returns what model() returns; none where find_canonical() returns none.
  std::optional<Graph> find_model(const Architecture& architecture) const;

  /// Returns `architecture` without the decisions that concern settings only.
  Architecture of_models(const Architecture& architecture) const;
  /// Returns `form`, a canonical architecture of the models, with the decisions of `architecture`
  /// for the settings added.
  Architecture with_settings(Architecture form, const Architecture& architecture) const;
  /// Returns the options outside the graph that an architecture decides too.
  const std::vector<Setting>& settings() const { return settings_; }

  /// Returns `architecture` with the first candidates for all undecided labels.
  Architecture completed(const Architecture& architecture) const;

  /// Returns the steps by which graph mutators make the model, one entry per mutator, in order; for
  /// a graph with choices, a single entry.
  std::vector<Mutation> history(const Architecture& architecture) const;

  friend bool operator==(const Space& a, const Space& b) {
    return a.graph_ == b.graph_ && a.mutators_ == b.mutators_ && a.settings_ == b.settings_;
  }

 private:
  bool knows(const std::string& label) const;

  Graph graph_;
  GraphMutators mutators_;
  std::optional<CanonicalForms> forms_;  // none: graph mutators make the models
  std::vector<Mutable> mutables_;
  std::vector<Setting> settings_;
};

}  // namespace retia::ir
