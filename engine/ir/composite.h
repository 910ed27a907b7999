#pragma once

#include <set>
#include <string>

#include "retia/engine/ir/builder.h"
#include "retia/engine/ir/infer.h"
#include "retia/engine/operations/primitive.h"
#include "retia/engine/operations/table.h"

namespace retia {

/// The kind of a composite: an operation that a function `Wire f(Builder&, Wire, const Options&)`
/// writes in terms of other operations.
template <class Options>
class Composite final : public ir::OperationKind {
 public:
  /// Writes the operation for one input, and returns the wire of its output.
  using Write = Wire (*)(Builder&, Wire, const Options&);
  /// Makes a kind named `type` in JSON and messages.
  Composite(std::string type, Write write) : ir::OperationKind(std::move(type)), write_(write) {}

  Json complete(const Json& given) const override {
    return options_from_json<Options>(given, "operation '" + type() + "'");
  }
  /// Returns the shape of the expanded graph's output.
  Shape infer(const Json& parameters, const std::vector<Shape>& inputs) const override {
    const auto graph = expand(parameters, inputs);
    return ir::infer(*graph).at(graph->outputs().front().wire.node);
  }
  /// Returns the graph that the function writes. Throws where the graph makes a choice of its own.
  std::shared_ptr<const ir::Graph> expand(const Json& parameters,
                                          const std::vector<Shape>& inputs) const override {
    TORCH_CHECK(inputs.size() == 1, "expected one input, got ", inputs.size());
    Builder builder(type());
    const Wire input = builder.input("input", inputs.front());
    builder.output("output", write_(builder, input, parameters.get<Options>()));
    auto graph = std::make_shared<const ir::Graph>(builder.finish());
    check_choices(*graph, parameters, inputs.front());
    return graph;
  }

 private:
  /// Throws where `graph` contains a choice that is neither in the parameters nor in the input's
  /// shape: it would be one decision for all uses of the operation, unknown to the graph around it.
  void check_choices(const ir::Graph& graph, const Json& parameters, const Shape& input) const {
    std::set<std::string> known;
    const auto note = [&known](const std::string& label, const std::vector<std::string>&) {
      known.insert(label);
    };
    ir::visit_choices(parameters, note);
    for (const Dim& dim : input) {
      dim.expression().visit_choices(note);
    }
    for (const Mutable& choice : ir::mutables(graph)) {
      TORCH_CHECK(known.count(choice.label) != 0, "composite '", type(), "' makes a choice '",
                  choice.label,
                  "' of its own: pass it in as an option, or write the part as a cell");
    }
  }

  Write write_;
};

template <class Options>
void OperationTable::add(const std::string& type, Wire (*write)(Builder&, Wire, const Options&)) {
  add(std::make_shared<const Composite<Options>>(type, write));
}

/// Returns an operation of the composite that `write` writes. All operations of one `write` share
/// one kind.
template <auto write, class Options>
ir::Operation composite(const std::string& type, const Options& options) {
  static const auto kind = std::make_shared<const Composite<Options>>(type, write);
  return {kind, options};
}

}  // namespace retia
