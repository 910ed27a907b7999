#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "engine/ir/operation.h"
#include "engine/mutable.h"

namespace retia::ir {

/// Identifies a node within its graph, for as long as the node is there.
using NodeId = int64_t;

/// A value in the graph: what a node makes.
struct Wire {
  NodeId node = -1;
  friend bool operator==(const Wire&, const Wire&) = default;
};

}  // namespace retia::ir

namespace retia {
using ir::Wire;
}

namespace retia::ir {

/// How an input choice joins what it has chosen. None: a list, which only a choice that stands by
/// itself in a module can hand out.
enum class Reduction { Sum, Mean, Concat, None };

NLOHMANN_JSON_SERIALIZE_ENUM(Reduction, {{Reduction::Sum, "sum"},
                                         {Reduction::Mean, "mean"},
                                         {Reduction::Concat, "concat"},
                                         {Reduction::None, "none"}})

class Graph;

/// A nested graph with value semantics.
class Cell {
 public:
  Cell(Graph graph);
  Cell(const Cell& other);
  Cell(Cell&& other) noexcept;
  Cell& operator=(Cell other) noexcept;
  ~Cell();
  const Graph& graph() const { return *graph_; }
  friend bool operator==(const Cell& a, const Cell& b);

 private:
  std::unique_ptr<Graph> graph_;
};

/// Where a graph begins. In a nested graph the shape is what the surrounding one passes in.
struct Input {
  Shape shape;  ///< without the batch
  friend bool operator==(const Input&, const Input&) = default;
};

/// What computes: one operation or a nested graph.
using Body = std::variant<Operation, Cell>;

struct Candidate {
  std::string name;
  Body body;
  friend bool operator==(const Candidate&, const Candidate&) = default;
};

/// One of several bodies on the same inputs.
struct LayerChoice {
  std::string label;
  std::vector<Candidate> candidates;
  friend bool operator==(const LayerChoice&, const LayerChoice&) = default;
};

/// Some of several inputs.
struct InputChoice {
  std::string label;
  std::vector<std::string> names;   ///< one per input
  std::optional<int64_t> n_chosen;  ///< none: any number, also zero
  Reduction reduction = Reduction::Sum;
  /// ValueChoice: the value that the label decides selects the input, whatever else it decides.
  MutableKind kind = MutableKind::InputChoice;
  friend bool operator==(const InputChoice&, const InputChoice&) = default;
};

/// Waits for a graph mutator, which finds it by `label` and reads `parameters`.
struct Placeholder {
  std::string label;
  Json parameters;
  Shape shape;  ///< of what it will make
  friend bool operator==(const Placeholder&, const Placeholder&) = default;
};

struct Node {
  NodeId id = -1;
  std::string name;  ///< unique in its graph; `/` separates scopes
  std::variant<Input, Operation, Cell, LayerChoice, InputChoice, Placeholder> body;
  std::vector<Wire> inputs;
  friend bool operator==(const Node&, const Node&) = default;
};

struct Output {
  std::string name;
  Wire wire;
  friend bool operator==(const Output&, const Output&) = default;
};

/// A model space (with choices) or a model (without). A value: copying forks it, == compares it.
class Graph {
 public:
  /// first_id: of the first node; nested graphs count on from the graph around them, so that a wire
  /// of one is no wire of the other.
  explicit Graph(std::string name, NodeId first_id = 0)
      : name_(std::move(name)), next_id_(first_id) {}

  const std::string& name() const { return name_; }
  const std::vector<Node>& nodes() const { return nodes_; }  ///< in topological order
  const std::vector<Output>& outputs() const { return outputs_; }
  /// The id that the next node will have.
  NodeId next_id() const { return next_id_; }

  const Node& node(NodeId id) const;
  const Node& node(Wire wire) const { return node(wire.node); }

  /// Adds a node whose inputs are there already. Throws when its name is taken or malformed, and
  /// when the candidates of a choice are: no architecture could name them.
  Wire add(std::string name, decltype(Node::body) body, std::vector<Wire> inputs);

  /// The same for a node that has an id already. Throws when that is taken or below 0.
  Wire add(Node node);

  void add_output(std::string name, Wire wire);

  /// The nodes that are inputs, in order.
  std::vector<const Node*> inputs() const;

  /// The nodes whose placeholder or choice has this label, in order; like all that follows, of this
  /// graph and not of those nested in it.
  std::vector<NodeId> labelled(const std::string& label) const;
  /// The nodes that compute an operation of this type, in order; "cell": a nested graph.
  std::vector<NodeId> of_type(const std::string& type) const;
  /// The node of this name. Throws, naming the nearest, when there is none.
  NodeId named(const std::string& name) const;

  // What graph mutators edit with. Ids stay; the order of the nodes stays topological.

  /// Makes `node` compute `body`, of the inputs that it has.
  void update_operation(NodeId node, Body body);
  /// Gives one use of a nested graph a body of its own: what `edit` makes of it.
  void specialise(NodeId node, const std::function<void(Graph&)>& edit);
  /// Adds a node that reads `from` and that `to`, which reads `from`, reads instead.
  Wire insert(std::string name, Body body, Wire from, NodeId to);
  /// The same for everything that reads `from`, outputs too.
  Wire insert_after(std::string name, Body body, Wire from);
  /// Makes `node` read `inputs`. Throws, and changes nothing, where that closes a circle.
  void connect(NodeId node, std::vector<Wire> inputs);
  /// Removes a node; what reads it reads its input instead. Throws where it is read and does not
  /// have just one input, and where it is an input of the graph.
  void remove(NodeId node);

  /// Whether name, nodes and outputs are equal.
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

/// Per input of `node` the label of the one layer choice that makes it, seen through operations, or
/// "" where there is none, or more.
std::vector<std::string> fed_by(const Graph& graph, const Node& node);

/// One per label, in graph order. Throws when choices of one label differ.
std::vector<Mutable> mutables(const Graph& graph);

/// Runs `f`; what it throws is thrown again with "`context`: " before it.
template <class F>
decltype(auto) in_context(const std::string& context, const F& f) {
  try {
    return f();
  } catch (const c10::Error& error) {
    TORCH_CHECK(false, context, ": ", error.what_without_backtrace());
  }
}

}  // namespace retia::ir
