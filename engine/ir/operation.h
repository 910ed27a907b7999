#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "retia/engine/ir/formula.h"

namespace retia {
class Layer;
}

namespace retia::ir {

class Graph;
class OperationKind;

/// The computation of one node: a kind of operation and its parameters. The parameters are a
/// complete JSON object, defaults included, whose scalars may be expressions over value choices.
class Operation {
 public:
  /// Makes an operation; missing parameters get their defaults. Throws, naming the nearest known
  /// one, on an unknown parameter.
  Operation(std::shared_ptr<const OperationKind> kind, const Json& parameters);

  const OperationKind& kind() const { return *kind_; }
  std::shared_ptr<const OperationKind> shared_kind() const { return kind_; }
  const std::string& type() const;
  const Json& parameters() const { return parameters_; }

  /// Returns the operation with the parameters in `changes` replaced.
  Operation with(const Json& changes) const;

  /// Returns the operation with the value choices that `architecture` decides replaced by their
  /// values.
  Operation at(const Architecture& architecture) const;

  /// Returns the operation with the label `<prefix>/<parameter>` for unlabelled value choices.
  Operation labelled(const std::string& prefix) const;

  /// Calls `visit` for each value choice in the parameters.
  void visit_choices(const Expression::ChoiceVisitor& visit) const;

  /// Returns the labels that determine the parameters under `architecture`. Throws where one is
  /// undecided.
  std::set<std::string> reached(const Architecture& architecture) const;

  /// Returns the decisions of `architecture` that matter to this operation, in a form equal for all
  /// architectures for which it computes the same.
  Architecture canonical(const Architecture& architecture) const;

  friend bool operator==(const Operation& a, const Operation& b);

 private:
  std::shared_ptr<const OperationKind> kind_;
  Json parameters_;
};

/// Returns the labels that determine `parameters` under `architecture`.
std::set<std::string> reached(const Json& parameters, const Architecture& architecture);

/// Returns `parameters` with the choices that `architecture` decides replaced by their values.
Json decided(const Json& parameters, const Architecture& architecture);

/// Calls `visit` for each value choice in the parameters of an operation.
void visit_choices(const Json& parameters, const Expression::ChoiceVisitor& visit);

/// The cost of one application of an operation, for one sample.
struct Cost {
  /// MACs of convolutions and matrix products; papers often call them "FLOPs".
  Dim multiply_adds = 0;
  Dim parameters = 0;  ///< number of trained parameters
};

/// One entry of the table of operations: a primitive, which makes a layer, or a composite, which
/// expands into primitives. Immutable; shared by all operations of the kind.
class OperationKind {
 public:
  explicit OperationKind(std::string type) : type_(std::move(type)) {}
  virtual ~OperationKind() = default;
  OperationKind(const OperationKind&) = delete;
  OperationKind& operator=(const OperationKind&) = delete;

  const std::string& type() const { return type_; }

  /// Returns the decisions of `architecture` that determine `parameters`, in a form equal for all
  /// architectures for which the operation computes the same. By default the decisions of all
  /// labels that are reached. Throws where the architecture has no valid model.
  virtual Architecture canonical(const Json& parameters, const Architecture& architecture) const;

  /// Returns `given` completed with the defaults of all other parameters. Throws on an unknown
  /// parameter or a wrong type.
  virtual Json complete(const Json& given) const = 0;

  /// Returns the shape of the result. Throws, naming the shapes, when the inputs do not fit.
  virtual Shape infer(const Json& parameters, const std::vector<Shape>& inputs) const = 0;

  virtual Cost cost(const Json& parameters, const std::vector<Shape>& inputs) const = 0;

  /// Returns the module that computes a primitive. Throws while a needed parameter is undecided.
  virtual std::shared_ptr<Layer> make(const Json& parameters,
                                      const std::vector<Shape>& inputs) const = 0;

  /// Returns the graph that a composite stands for, with one input per given shape and one output.
  /// Null for a primitive.
  virtual std::unique_ptr<const Graph> expand(const Json& parameters,
                                              const std::vector<Shape>& inputs) const;

 private:
  std::string type_;
};

}  // namespace retia::ir
