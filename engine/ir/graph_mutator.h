#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/ir/builder.h"
#include "engine/ir/graph.h"

namespace retia::ir {

/// Decides a choice, as for a final architecture.
using Decider = std::function<Decision(const Mutable&)>;

/// The first candidates, as many as are to be chosen; none where any number may be.
Decision first_candidates(const Mutable& choice);

/// A choice that was made, and how.
struct MadeChoice {
  Mutable choice;
  Decision decision;
  friend bool operator==(const MadeChoice&, const MadeChoice&) = default;
};

/// Whom a graph mutator asks. Choices are decisions of an architecture, labelled `<mutator>/<i>`,
/// counted from 0 in the order of asking, or `<mutator>/<name>`; one label is one decision, also
/// when it is asked for again. Which choices there are, and of what, may depend on earlier ones;
/// names then keep their meaning where numbers shift.
class Sampler {
 public:
  Sampler(std::string mutator, const Decider& decide)
      : mutator_(std::move(mutator)), decide_(decide) {}

  /// One of `candidates`: operations, Candidates (which have names and may be nested graphs), or
  /// values: numbers, booleans, texts, JSON scalars.
  template <class T>
  T choice(const std::vector<T>& candidates) {
    return candidates[index(std::to_string(n_numbered_++), described(candidates))];
  }
  template <class T>
  T choice(const std::string& name, const std::vector<T>& candidates) {
    return candidates[index(name, described(candidates))];
  }
  template <class T>
  T choice(std::initializer_list<T> candidates) {
    return choice(std::vector<T>(candidates));
  }

  /// A choice described in full, under its own label; for sets of inputs.
  Decision decide(const Mutable& choice);

  /// In the order of asking, each label once.
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

/// One application of a graph mutator.
struct Mutation {
  std::string mutator;
  std::vector<MadeChoice> choices;  ///< in the order of asking
  Graph from, to;
};

/// Changes a graph into one of several, asking a sampler which. Immutable; shared by all spaces
/// that apply it.
class GraphMutator {
 public:
  /// name: what its labels begin with.
  explicit GraphMutator(std::string name) : name_(std::move(name)) {}
  virtual ~GraphMutator() = default;
  GraphMutator(const GraphMutator&) = delete;
  GraphMutator& operator=(const GraphMutator&) = delete;

  const std::string& name() const { return name_; }

  /// Edits `graph`: a function of the graph and of what the sampler says.
  virtual void mutate(Graph& graph, Sampler& sampler) const = 0;

  /// Mutates a copy of `graph`. What mutate throws is thrown again under the mutator's name.
  Mutation apply(const Graph& graph, const Decider& decide) const;

  /// What choices there are: apply with the first candidates.
  Mutation dry_run(const Graph& graph) const { return apply(graph, first_candidates); }

 private:
  std::string name_;
};

using GraphMutators = std::vector<std::shared_ptr<const GraphMutator>>;

/// Decides the inline choices of a graph, each under its own label.
class InlineMutator final : public GraphMutator {
 public:
  InlineMutator() : GraphMutator("inline") {}
  void mutate(Graph& graph, Sampler& sampler) const override;
};

/// Applies `mutators` one after the other, each to what the one before made of `base`; without any,
/// an InlineMutator where there are inline choices. Throws where both are: a space is written in
/// one way.
std::vector<Mutation> apply(const Graph& base, const GraphMutators& mutators,
                            const Decider& decide);

/// A nested graph of one input of the shape `input`, for update_operation.
Cell write_cell(const std::string& name, const Shape& input, const Writer& writer);

}  // namespace retia::ir

namespace retia {
using ir::GraphMutator;
using ir::Sampler;
}  // namespace retia
