#pragma once

#include <vector>

#include "engine/ir/graph_mutator.h"
#include "engine/ir/setting.h"

namespace retia::ir {

/// A set of models that architectures tell apart: a graph with choices in it, or a base graph and
/// the graph mutators that are applied to it in order. A value.
///
/// The choices of graph mutators are found by trying out: each candidate of each choice, with what
/// led there and the first candidates of the rest. A choice that still comes up later is decided
/// for its first candidate. Where a label has other candidates on other paths it is known by
/// indices, of which there are as many as on the longest list; canonical() counts those beyond a
/// shorter list from its beginning again.
class Space {
 public:
  /// What the choices in `graph` make.
  Space(Graph graph);  // NOLINT: every graph is a space
  /// What `mutators` make of `base`. Throws where the base has choices of its own.
  Space(Graph base, GraphMutators mutators);

  /// The same models, each under every decision of `settings` too, which no model looks at. Throws
  /// where a label stands for another choice in the models.
  Space with(std::vector<Setting> settings) const;

  const std::string& name() const { return graph_.name(); }
  /// The graph with the choices, or the base.
  const Graph& graph() const { return graph_; }
  const GraphMutators& mutators() const { return mutators_; }

  /// The same; throws where graph mutators make the models: these share no weights.
  const Graph& supernet() const;

  /// What there is to decide; one per label.
  const std::vector<Mutable>& mutables() const { return mutables_; }

  /// The model of `architecture`, without a choice or a placeholder. Throws on labels that the
  /// space does not have, and on decisions that it reaches and that are missing or out of range.
  Graph model(const Architecture& architecture) const;

  /// `architecture` without the labels that nothing it selects reaches: what is hashed, stored and
  /// compared.
  Architecture canonical(const Architecture& architecture) const;

  /// `architecture` without what it decides for the settings only.
  Architecture of_models(const Architecture& architecture) const;
  /// `form`, which is canonical for the models, with what `architecture` decides for the settings.
  Architecture with_settings(Architecture form, const Architecture& architecture) const;
  const std::vector<Setting>& settings() const { return settings_; }

  /// `architecture` with the first candidates for all it does not decide.
  Architecture completed(const Architecture& architecture) const;

  /// How graph mutators make the model: one entry for each, in order; of a graph with choices one
  /// in all.
  std::vector<Mutation> history(const Architecture& architecture) const;

  friend bool operator==(const Space& a, const Space& b) {
    return a.graph_ == b.graph_ && a.mutators_ == b.mutators_ && a.settings_ == b.settings_;
  }

 private:
  bool knows(const std::string& label) const;

  Graph graph_;
  GraphMutators mutators_;
  std::vector<Mutable> mutables_;
  std::vector<Setting> settings_;
};

}  // namespace retia::ir
