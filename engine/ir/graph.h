#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "retia/engine/mutables/mutable.h"
#include "retia/engine/mutables/reduction.h"
#include "retia/engine/operations/operation.h"

namespace retia::ir {

/// Identifies a node within its graph for as long as the node exists.
using NodeId = int64_t;

/// A value in the graph: the output of a node.
struct Wire {
  NodeId node = -1;  ///< node that outputs the value
  friend bool operator==(const Wire&, const Wire&) = default;
};

}  // namespace retia::ir

namespace retia {
using ir::Wire;
}

/// Spaces and models as graphs, and what builds, edits, measures and freezes graphs.
namespace retia::ir {

class Graph;

/// A nested graph, with value semantics.
class Cell {
 public:
  /// Makes a cell of `graph`.
  Cell(Graph graph);
  /// Copies the graph of `other`.
  Cell(const Cell& other);
  /// Takes the graph of `other`, which has none afterwards.
  Cell(Cell&& other) noexcept;
  /// Takes the graph of `other`, which may be a copy.
  Cell& operator=(Cell other) noexcept;
  ~Cell();
  /// Returns the nested graph. The cell must not have been moved from.
  const Graph& graph() const { return *graph_; }
  friend bool operator==(const Cell& a, const Cell& b);

 private:
  std::unique_ptr<Graph> graph_;
};

/// A node where data enters. In a nested graph the surrounding graph determines the shape.
struct Input {
  Shape shape;  ///< without the batch dimension
  friend bool operator==(const Input&, const Input&) = default;
};

/// The computation of a node: one operation or a nested graph.
using Body = std::variant<Operation, Cell>;

/// A candidate of a layer choice.
struct Candidate {
  std::string name;  ///< key in architectures, unique in its choice
  Body body;         ///< computation of the node where this candidate is chosen
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// A choice of one of several bodies, all on the same inputs.
struct LayerChoice {
  std::string label;                  ///< key of its decision in architectures
  std::vector<Candidate> candidates;  ///< in the order of the indices of decisions
  friend bool operator==(const LayerChoice&, const LayerChoice&) = default;
};

/// A choice of some of several inputs.
struct InputChoice {
  std::string label = {};                ///< key of its decision in architectures
  std::vector<std::string> names = {};   ///< one per input
  std::optional<int64_t> n_chosen = {};  ///< none: any number, also zero
  Reduction reduction = Reduction::Sum;  ///< how the chosen inputs are joined
  /// ValueChoice: the input is selected by the value that `label` decides; the same label may
  /// decide other things too.
  MutableKind kind = MutableKind::InputChoice;
  friend bool operator==(const InputChoice&, const InputChoice&) = default;
};

/// A place for an operation that a graph mutator will choose. The mutator finds it by `label` and
/// reads `parameters`.
struct Placeholder {
  std::string label;  ///< key by which a graph mutator finds it
  Json parameters;    ///< whatever the graph mutator reads
  Shape shape;        ///< shape of the output, as promised
  friend bool operator==(const Placeholder&, const Placeholder&) = default;
};

/// One computation of a graph.
struct Node {
  NodeId id = -1;    ///< unique in its graph, and kept when the graph is edited
  std::string name;  ///< unique in its graph; `/` separates scopes
  /// The computation, or the choice of one.
  std::variant<Input, Operation, Cell, LayerChoice, InputChoice, Placeholder> body;
  std::vector<Wire> inputs;  ///< values that it reads, in order
  friend bool operator==(const Node&, const Node&) = default;
};

/// Returns whether data enters at `node`.
bool is_input(const Node& node);

/// Returns the names of the candidates of `choice`, in order.
std::vector<std::string> names_of(const LayerChoice& choice);

/// Returns the decision that `choice` asks for, without its scope.
Mutable mutable_of(const LayerChoice& choice);
/// Returns the decision that `choice` asks for, without its scope and `fed_by`.
Mutable mutable_of(const InputChoice& choice);

/// An output of a graph.
struct Output {
  std::string name;  ///< unique among the outputs of the graph
  Wire wire;         ///< value that is returned
  friend bool operator==(const Output&, const Output&) = default;
};

/// A model space (with choices) or a model (without). A value: a copy is independent, == compares
/// contents.
class Graph {
 public:
  /// Makes an empty graph whose first node gets the id `first_id`. A nested graph continues the ids
  /// of the graph around it, so that no wire is valid in both.
  explicit Graph(std::string name, NodeId first_id = 0)
      : name_(std::move(name)), next_id_(first_id) {}

  /// Returns the name given to the constructor.
  const std::string& name() const { return name_; }
  /// Returns all nodes in topological order.
  const std::vector<Node>& nodes() const { return nodes_; }
  /// Returns the outputs in the order in which they were added.
  const std::vector<Output>& outputs() const { return outputs_; }
  /// Returns the id that the next node will get.
  NodeId next_id() const { return next_id_; }

  /// Returns the node with this id. Throws where the graph has none.
  const Node& node(NodeId id) const;
  /// Returns the node that outputs `wire`. Throws where the graph has none.
  const Node& node(Wire wire) const { return node(wire.node); }

  /// Adds a node whose inputs exist already. Throws when its name is taken or malformed, and when
  /// the names of a choice's candidates are duplicate or malformed, since no architecture could
  /// name such candidates.
  Wire add(std::string name, decltype(Node::body) body, std::vector<Wire> inputs);

  /// Adds a node that has an id already. Throws as the other add does, and when the id is
  /// taken or negative.
  Wire add(Node node);

  /// Adds an output. Throws where its name is taken, or the graph has no such wire.
  void add_output(std::string name, Wire wire);

  /// Returns the nodes of type Input, in order.
  std::vector<const Node*> inputs() const;
  /// Returns the shapes of the inputs, in order.
  std::vector<Shape> input_shapes() const;

  /// Returns the nodes whose placeholder or choice has the label `label`, in order. This and the
  /// following functions look at this graph only, not at nested ones.
  std::vector<NodeId> labelled(const std::string& label) const;
  /// Returns the nodes whose operation has the type `type`, in order; "cell" stands for nested
  /// graphs.
  std::vector<NodeId> of_type(const std::string& type) const;
  /// Returns the node named `name`. Throws, naming the nearest name, when there is none.
  NodeId named(const std::string& name) const;

  // Edits for graph mutators. Ids are kept, and nodes stay in topological order.

  /// Replaces the body of `node`; its inputs stay.
  void update_operation(NodeId node, Body body);
  /// Replaces the nested graph in `node` by a copy that `edit` has changed; other uses of the same
  /// nested graph stay as they are.
  void specialise(NodeId node, const std::function<void(Graph&)>& edit);
  /// Adds a node between `from` and `to`: the new node reads `from`, and `to` reads the new node
  /// instead of `from`.
  Wire insert(std::string name, Body body, Wire from, NodeId to);
  /// Adds a node after `from`: it reads `from`, and all nodes and outputs that read `from` read the
  /// new node instead.
  Wire insert_after(std::string name, Body body, Wire from);
  /// Replaces the inputs of `node`. Throws, and changes nothing, where this would make a cycle.
  void connect(NodeId node, std::vector<Wire> inputs);
  /// Removes `node`; its readers read its input instead. Throws where it is read but does not have
  /// exactly one input, and where it is an input of the graph.
  void remove(NodeId node);

  /// Returns whether name, nodes and outputs are equal.
  friend bool operator==(const Graph& a, const Graph& b) {
    return a.name_ == b.name_ && a.nodes_ == b.nodes_ && a.outputs_ == b.outputs_;
  }

 private:
  Node& editable(NodeId id);
  void redirect(Wire from, Wire to);
  void sort();

  std::string name_;
  std::vector<Node> nodes_;
  std::vector<Output> outputs_;
  NodeId next_id_ = 0;
};

/// Returns, for each input of `node`, the label of the layer choice that makes this input, directly
/// or through operations; "" where there is none or more than one.
std::vector<std::string> fed_by(const Graph& graph, const Node& node);

/// Returns one Mutable per label, in graph order. Throws when choices that share a label differ.
std::vector<Mutable> mutables(const Graph& graph);

/// Runs `f`; an exception is thrown again with "`context`: " before its message.
template <class F>
decltype(auto) in_context(const std::string& context, const F& f) {
  try {
    return f();
  } catch (const c10::Error& error) {
    TORCH_CHECK(false, context, ": ", error.what_without_backtrace());
  }
}

}  // namespace retia::ir
