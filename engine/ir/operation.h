#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/ir/formula.h"

namespace retia {
class Layer;
}

namespace retia::ir {

class Graph;
class OperationKind;

/// What a node computes: a kind and its parameters. The parameters are JSON whose scalars may be
/// expressions over value choices; all of them are there, defaults too.
class Operation {
 public:
  /// Fills in defaults. Throws, naming the nearest known one, on an unknown parameter.
  Operation(std::shared_ptr<const OperationKind> kind, const Json& parameters);

  const OperationKind& kind() const { return *kind_; }
  std::shared_ptr<const OperationKind> shared_kind() const { return kind_; }
  const std::string& type() const;
  const Json& parameters() const { return parameters_; }

  /// The same kind with some parameters replaced.
  Operation with(const Json& changes) const;

  /// With value choices decided.
  Operation at(const Architecture& architecture) const;

  /// With unlabelled value choices labelled `<prefix>/<parameter>`.
  Operation labelled(const std::string& prefix) const;

  /// Calls `visit` for each value choice in the parameters.
  void visit_choices(const Expression::ChoiceVisitor& visit) const;

  /// The labels that decide its parameters under `architecture`. Throws where one is undecided.
  std::set<std::string> reached(const Architecture& architecture) const;

  /// What `architecture` decides here, in the form that all have for which it computes the same.
  Architecture canonical(const Architecture& architecture) const;

  friend bool operator==(const Operation& a, const Operation& b);

 private:
  std::shared_ptr<const OperationKind> kind_;
  Json parameters_;
};

/// The labels that decide `parameters` under `architecture`.
std::set<std::string> reached(const Json& parameters, const Architecture& architecture);

/// `parameters` with the choices that `architecture` decides replaced by what they chose.
Json decided(const Json& parameters, const Architecture& architecture);

/// Calls `visit` for each value choice in the parameters of an operation.
void visit_choices(const Json& parameters, const Expression::ChoiceVisitor& visit);

/// What one application of an operation costs, for one sample.
struct Cost {
  Dim multiply_adds = 0;  ///< of convolutions and matrix products: the papers' "FLOPs"
  Dim parameters = 0;     ///< trained numbers
};

/// One entry in the table of operations: a primitive, which makes a layer, or a composite, which
/// expands into primitives. Immutable; shared by all operations of the kind.
class OperationKind {
 public:
  explicit OperationKind(std::string type) : type_(std::move(type)) {}
  virtual ~OperationKind() = default;
  OperationKind(const OperationKind&) = delete;
  OperationKind& operator=(const OperationKind&) = delete;

  const std::string& type() const { return type_; }

  /// The decisions of `architecture` that decide `parameters`, in the form shared by all
  /// architectures for which the operation computes the same. Unless overridden, those of the
  /// labels that are reached. Throws where the architecture makes no model.
  virtual Architecture canonical(const Json& parameters, const Architecture& architecture) const;

  /// `given` with the defaults of all other parameters. Throws on an unknown or ill-typed one.
  virtual Json complete(const Json& given) const = 0;

  /// The shape of the result. Throws when the inputs do not suit, naming their shapes.
  virtual Shape infer(const Json& parameters, const std::vector<Shape>& inputs) const = 0;

  virtual Cost cost(const Json& parameters, const std::vector<Shape>& inputs) const = 0;

  /// The module that computes a primitive. Throws while a parameter it needs is undecided.
  virtual std::shared_ptr<Layer> make(const Json& parameters,
                                      const std::vector<Shape>& inputs) const = 0;

  /// The graph that a composite stands for: an input per given shape, one output. Null: a
  /// primitive.
  virtual std::unique_ptr<const Graph> expand(const Json& parameters,
                                              const std::vector<Shape>& inputs) const;

 private:
  std::string type_;
};

}  // namespace retia::ir
