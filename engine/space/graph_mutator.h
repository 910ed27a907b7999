#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "retia/engine/ir/builder.h"
#include "retia/engine/ir/graph.h"

namespace retia::ir {

/// Returns a decision for a choice, as in a final architecture.
using Decider = std::function<Decision(const Mutable&)>;

/// A choice that a graph mutator asked for, with its decision.
struct MadeChoice {
  Mutable choice;     ///< its label and candidates
  Decision decision;  ///< indices of the chosen candidates
  friend bool operator==(const MadeChoice&, const MadeChoice&) = default;
};

/// Answers the choices of a graph mutator from an architecture. The i-th unnamed choice (from 0)
/// has the label `<mutator>/<i>`, a named one `<mutator>/<name>`. One label is one decision, also
/// when it is asked for again. Which choices come up, and with which candidates, may depend on
/// earlier answers; names then keep their meaning where numbers would shift.
class Sampler {
 public:
  /// Begins labels with `mutator` and a slash. `decide` must outlive the sampler.
  Sampler(std::string mutator, const Decider& decide)
      : mutator_(std::move(mutator)), decide_(decide) {}

  /// Returns the chosen one of `candidates`: operations, Candidates (named, possibly nested graphs)
  /// or values (numbers, booleans, texts, JSON scalars).
  template <class T>
  T choice(const std::vector<T>& candidates) {
    return candidates[index(std::to_string(n_numbered_++), described(candidates))];
  }
  /// Returns the chosen one of `candidates` under the label `<mutator>/<name>`.
  template <class T>
  T choice(const std::string& name, const std::vector<T>& candidates) {
    return candidates[index(name, described(candidates))];
  }
  /// Returns the chosen one of a list written in place: `sampler.choice({3, 5, 7})`.
  template <class T>
  T choice(std::initializer_list<T> candidates) {
    return choice(std::vector<T>(candidates));
  }

  /// Returns the decision of a choice that is described in full and has its own label; for sets of
  /// inputs.
  Decision decide(const Mutable& choice);

  /// Returns the choices made so far, in the order of asking, each label once.
  const std::vector<MadeChoice>& made() const { return made_; }

 private:
  static Mutable described(const std::vector<Operation>& candidates);
  static Mutable described(const std::vector<Candidate>& candidates);
  static Mutable described(const std::vector<Json>& values);
  template <class T>
  static Mutable described(const std::vector<T>& values) {
    return described(std::vector<Json>(values.begin(), values.end()));
  }
  size_t index(const std::string& name, Mutable choice);

  std::string mutator_;
  const Decider& decide_;
  int64_t n_numbered_ = 0;
  std::vector<MadeChoice> made_;
};

/// The record of one application of a graph mutator.
struct Mutation {
  std::string mutator;              ///< name of the graph mutator
  std::vector<MadeChoice> choices;  ///< in the order of asking
  Graph from;                       ///< graph before the mutation
  Graph to;                         ///< graph after the mutation
};

/// Changes a graph into one of several, as a sampler decides. Immutable; shared by all spaces that
/// apply it.
class GraphMutator {
 public:
  /// Names the mutator; its labels begin with `name` and a slash.
  explicit GraphMutator(std::string name) : name_(std::move(name)) {}
  virtual ~GraphMutator() = default;
  GraphMutator(const GraphMutator&) = delete;
  GraphMutator& operator=(const GraphMutator&) = delete;

  /// Returns the name with which the labels of the mutator begin.
  const std::string& name() const { return name_; }

  /// Edits `graph`. The result must depend only on the graph and on the answers of `sampler`.
  virtual void mutate(Graph& graph, Sampler& sampler) const = 0;

  /// Mutates a copy of `graph`. Exceptions from mutate are thrown again with the mutator's name.
  Mutation apply(const Graph& graph, const Decider& decide) const;

  /// Applies the mutator with the first candidates of every choice, to find out which choices there
  /// are (a dry run).
  Mutation dry_run(const Graph& graph) const { return apply(graph, first_candidates); }

 private:
  std::string name_;
};

/// Graph mutators in the order in which they are applied.
using GraphMutators = std::vector<std::shared_ptr<const GraphMutator>>;

/// Decides the choices inside a graph, each under its own label.
class InlineMutator final : public GraphMutator {
 public:
  InlineMutator() : GraphMutator("inline") {}
  void mutate(Graph& graph, Sampler& sampler) const override;
};

/// Applies `mutators` one after the other, starting from `base`. Without mutators, applies an
/// InlineMutator if `base` has inline choices. Throws where there are both: a space is written in
/// one way only.
std::vector<Mutation> apply(const Graph& base, const GraphMutators& mutators,
                            const Decider& decide);

/// Returns a nested graph with one input of shape `input`, for update_operation.
Cell write_cell(const std::string& name, const Shape& input, const Writer& writer);

}  // namespace retia::ir

namespace retia {
using ir::GraphMutator;
using ir::Sampler;
}  // namespace retia
