#pragma once

#include <functional>
#include <string>
#include <vector>

#include "retia/engine/ir/graph.h"

namespace retia::ir {

class Builder;

/// Writes a nested graph, or a part of a graph, that reads one wire; returns the resulting wire.
using Writer = std::function<Wire(Builder&, Wire)>;

/// Writes block `index` of a repeated block; returns the resulting wire.
using BlockWriter = std::function<Wire(Builder&, Wire, int64_t index)>;

/// Tells whether repeated blocks have a decision each (Independent) or share one (Shared).
enum class Blocks { Independent, Shared };

/// A candidate of a layer choice: an operation, or a function whose nodes are recorded as a cell.
struct CandidateWriter {
  /// Makes a candidate of one operation.
  CandidateWriter(std::string name_, Operation operation)
      : name(std::move(name_)), body(std::move(operation)) {}
  /// Makes a candidate of a nested graph, which `writer(builder, input)` writes.
  template <class F>
  requires std::is_invocable_r_v<Wire, F, Builder&, Wire> CandidateWriter(std::string name_,
                                                                          F writer)
      : name(std::move(name_)), body(Writer(writer)) {}

  std::string name;                      ///< key in architectures, unique in the choice
  std::variant<Operation, Writer> body;  ///< one operation, or the writer of a nested graph
};

/// The options of Builder::layer_choice.
struct LayerChoiceOptions {
  std::string label;  ///< empty: the path of the choice
};

/// The options of Builder::input_choice: how many inputs are chosen, and how these are joined.
struct InputChoiceOptions {
  std::optional<int64_t> n_chosen = 1;   ///< none: any number, also zero
  Reduction reduction = Reduction::Sum;  ///< how the chosen inputs are joined
  std::string label = {};                ///< empty: the path of the choice
  /// Names of the candidates; empty: the last part of the names of their nodes.
  std::vector<std::string> names = {};
};

/// The options of Builder::placeholder: what a graph mutator is told, and the promised shape.
struct PlaceholderOptions {
  std::string label;                 ///< key by which a graph mutator finds it
  Json parameters = Json::object();  ///< whatever the graph mutator reads, e.g. strides
  Shape shape = {};  ///< shape of the operation that a graph mutator will put in its place
};

/// Writes a graph node by node; names and shapes are checked as each node is added.
class Builder {
 public:
  /// Begins a graph called `name`. `first_id`: see Graph.
  explicit Builder(std::string name, NodeId first_id = 0);

  /// Adds an input of the graph. `shape`: without the batch dimension.
  Wire input(const std::string& name, Shape shape);
  /// Adds an operation. A value choice without a label gets the label `<path>/<parameter>`.
  Wire add(const std::string& name, const Operation& operation, std::vector<Wire> inputs);
  /// Adds a nested graph with one input, which `writer` writes.
  Wire cell(const std::string& name, const Writer& writer, Wire input);
  /// Adds a choice of one of several candidates, all on the same inputs. A candidate that is a
  /// nested graph has one input.
  Wire layer_choice(const std::string& name, const std::vector<CandidateWriter>& candidates,
                    std::vector<Wire> inputs, const LayerChoiceOptions& options = {});
  /// Adds a choice of some of the wires `candidates`, which are then joined.
  Wire input_choice(const std::string& name, std::vector<Wire> candidates,
                    const InputChoiceOptions& options = {});
  /// Adds an input choice whose candidates are given by keys. A key is the name of a node added
  /// before, in this scope or one around it, or else the label of a single layer or input choice.
  /// The candidates are named by the keys. Throws, naming the key and the nearest known one, where
  /// a key fits nothing.
  Wire choose_from(const std::string& name, const std::vector<std::string>& keys,
                   const InputChoiceOptions& options = {});

  /// Adds a node that a graph mutator will fill, with an output of the promised shape.
  Wire placeholder(const std::string& name, const PlaceholderOptions& options,
                   std::vector<Wire> inputs);

  /// Applies `body` `depth` times, as `<name>/0`, `<name>/1`, …. Where `depth` is a formula over
  /// value choices (`between(0, 4)`: a range), the largest number of blocks is written and the
  /// output after the chosen number of blocks is selected; a depth choice without a label gets the
  /// label `<name>/depth`. Independent blocks are labelled by their paths, shared blocks all by
  /// `<name>`.
  Wire repeat(const std::string& name, const Dim& depth, const BlockWriter& body, Wire input,
              Blocks blocks = Blocks::Independent);
  /// Repeats blocks that do not depend on their index.
  Wire repeat(const std::string& name, const Dim& depth, const Writer& body, Wire input,
              Blocks blocks = Blocks::Independent);

  /// Makes `wire` the next output of the graph. Throws where an output has this name already.
  void output(const std::string& name, Wire wire);

  /// Returns the shape of a wire, without the batch dimension.
  const Shape& shape(Wire wire) const;
  /// Returns the first size of a wire, its number of channels.
  Dim channels(Wire wire) const { return shape(wire).front(); }

  /// Prefixes the names and labels of all nodes added while the object lives.
  class [[nodiscard]] Scope {
   public:
    Scope(Scope&&) = delete;
    ~Scope();

   private:
    friend class Builder;
    Scope(Builder& builder, std::string name_prefix, std::string label_prefix);
    Builder& builder_;
    std::string saved_name_prefix_;
    std::string saved_label_prefix_;
  };

  /// Prefixes names and labels with `<name>/` while the returned object lives.
  Scope scope(const std::string& name);

  /// Starts labels with `<label>/`, in place of the current label prefix, while the returned object
  /// lives: equal parts of a network share their decisions. Names are unchanged. A label given
  /// explicitly to a choice is not prefixed.
  Scope label_scope(const std::string& label);

  /// Returns the graph. Throws unless there is an output and every node leads to one.
  Graph finish();

 private:
  Wire append(const std::string& name, decltype(Node::body) body, std::vector<Wire> inputs);
  Graph nested(const std::string& name, const Writer& writer,
               const std::vector<Wire>& inputs) const;
  Wire named(const std::string& key) const;
  Wire selected(const std::string& name, const Expression& index, const std::vector<Wire>& of);

  Graph graph_;
  std::map<NodeId, Shape> shapes_;
  std::string name_prefix_;
  std::string label_prefix_;
};

}  // namespace retia::ir

namespace retia {
using ir::Builder;
}  // namespace retia
