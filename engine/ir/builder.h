#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/ir/graph.h"

namespace retia::ir {

class Builder;

/// Writes a nested graph or a part of one: reads wires, returns what it makes.
using Writer = std::function<Wire(Builder&, Wire)>;

/// Writes block `index` of several.
using BlockWriter = std::function<Wire(Builder&, Wire, int64_t index)>;

/// Whether blocks that repeat decide each for themselves or all alike.
enum class Blocks { Independent, Shared };

/// A candidate of a layer choice: an operation, or a function that is recorded as a cell.
struct CandidateWriter {
  CandidateWriter(std::string name_, Operation operation)
      : name(std::move(name_)), body(std::move(operation)) {}
  template <class F>
  requires std::is_invocable_r_v<Wire, F, Builder&, Wire> CandidateWriter(std::string name_,
                                                                          F writer)
      : name(std::move(name_)), body(Writer(writer)) {}

  std::string name;
  std::variant<Operation, Writer> body;
};

struct LayerChoiceOptions {
  std::string label;  ///< empty: the path
};

struct InputChoiceOptions {
  std::optional<int64_t> n_chosen = 1;  ///< none: any number, also zero
  Reduction reduction = Reduction::Sum;
  std::string label = {};               ///< empty: the path
  std::vector<std::string> names = {};  ///< of the candidates; empty: their nodes' last name parts
};

struct PlaceholderOptions {
  std::string label;
  Json parameters = Json::object();
  Shape shape = {};  ///< of what a graph mutator will make of it
};

/// Writes a graph node by node, checking names and shapes at once.
class Builder {
 public:
  explicit Builder(std::string name, NodeId first_id = 0);

  Wire input(const std::string& name, Shape shape);
  Wire add(const std::string& name, const Operation& operation, std::vector<Wire> inputs);
  Wire cell(const std::string& name, const Writer& writer, Wire input);
  Wire layer_choice(const std::string& name, const std::vector<CandidateWriter>& candidates,
                    std::vector<Wire> inputs, const LayerChoiceOptions& options = {});
  Wire input_choice(const std::string& name, std::vector<Wire> candidates,
                    const InputChoiceOptions& options = {});
  /// An input choice of what is named: by each key a node added before, in this scope or one around
  /// it, or else the label of one layer or input choice. Its candidates are named by the keys.
  /// Throws, naming the key and the nearest one, where there is none.
  Wire choose_from(const std::string& name, const std::vector<std::string>& keys,
                   const InputChoiceOptions& options = {});

  Wire placeholder(const std::string& name, const PlaceholderOptions& options,
                   std::vector<Wire> inputs);

  /// Applies `body` `depth` times, as `<name>/0`, `<name>/1`, …. Of a depth that is a formula over
  /// value choices (`between(0, 4)`: a range) the most blocks are written, and what comes after as
  /// many of them as the choices say is selected; without a label it is `<name>/depth`. Blocks are
  /// labelled by their paths, or all by `<name>` where they are shared.
  Wire repeat(const std::string& name, const Dim& depth, const BlockWriter& body, Wire input,
              Blocks blocks = Blocks::Independent);
  Wire repeat(const std::string& name, const Dim& depth, const Writer& body, Wire input,
              Blocks blocks = Blocks::Independent);

  void output(const std::string& name, Wire wire);

  /// The shape of a value, without the batch.
  const Shape& shape(Wire wire) const;
  Dim channels(Wire wire) const { return shape(wire).front(); }

  /// Prefixes the names and labels of what is added during its life.
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

  Scope scope(const std::string& name);

  /// Labels of what is added during its life begin with `label`, wherever it stands: equal parts of
  /// a net share their decisions. A label given with a choice is taken as it is.
  Scope label_scope(const std::string& label);

  /// The graph. Throws unless there is an output and everything leads to one.
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
