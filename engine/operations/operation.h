#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "retia/engine/symbolic/formula.h"

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

  /// Returns the kind, which all operations of a type share.
  const OperationKind& kind() const { return *kind_; }
  /// Returns the kind as a pointer, to add it to a table of operations.
  std::shared_ptr<const OperationKind> shared_kind() const { return kind_; }
  /// Returns the name of the kind, e.g. "conv2d".
  const std::string& type() const;
  /// Returns all parameters, defaults included, as a JSON object.
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

  /// Returns the operation that runs `n` of this one, each with its own weights and its own input,
  /// as one; none where there is no such operation. Inputs and outputs are concatenated along the
  /// channels, parameters and buffers along the first dimension. `inputs`: decided shapes of the
  /// inputs of one. conv2d → conv2d with n times the groups; linear → grouped_linear; batch_norm,
  /// activations, pools and sums → themselves.
  std::optional<Operation> stacked(const std::vector<Shape>& inputs, int64_t n) const;

  /// Returns the operation that runs `n` of this one, each with its own weights, on the same input
  /// as one; none where there is no such operation. Outputs, parameters and buffers are
  /// concatenated as in stacked. conv2d without groups and linear → themselves, n times as wide.
  std::optional<Operation> widened(const std::vector<Shape>& inputs, int64_t n) const;

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

/// Adjacent channels of one input of an operation.
struct ChannelRange {
  size_t input = 0;   ///< index of the input
  int64_t begin = 0;  ///< first channel
  int64_t size = 0;   ///< number of channels
};

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
  /// Names the kind; `type` stands for it in JSON and messages, e.g. "conv2d".
  explicit OperationKind(std::string type) : type_(std::move(type)) {}
  virtual ~OperationKind() = default;
  OperationKind(const OperationKind&) = delete;
  OperationKind& operator=(const OperationKind&) = delete;

  /// Returns the name of the kind, e.g. "conv2d".
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

  /// Returns the cost of a primitive for one sample, with formulas where sizes are choices.
  virtual Cost cost(const Json& parameters, const std::vector<Shape>& inputs) const;

  /// Returns the module that computes a primitive. Throws while a needed parameter is undecided.
  virtual std::shared_ptr<Layer> make(const Json& parameters,
                                      const std::vector<Shape>& inputs) const;

  /// Returns why no model has an operation with `parameters` as `architecture` decides them; none
  /// where a model can have it.
  virtual std::optional<std::string> obstacle(const Json& parameters,
                                              const Architecture& architecture) const;

  /// Returns whether the output is zero for all inputs: "no connection".
  virtual bool always_zero() const { return false; }

  /// Returns whether the output is the only input where the model is not training: a skip
  /// connection.
  virtual bool is_skip() const { return false; }

  /// Returns whether each channel of the output depends on the channel of the same index of each
  /// input only, in the same way for all channels (weights aside).
  virtual bool treats_channels_alike() const { return false; }

  /// Returns, for an operation that only passes channels on, where each channel of the output comes
  /// from, in order; none for an operation that computes. `inputs`: decided shapes.
  virtual std::optional<std::vector<ChannelRange>> passed_on(
      const Json& parameters, const std::vector<Shape>& inputs) const;

  /// Returns what Operation::stacked returns for `one`, an operation of this kind. By default, an
  /// operation that treats channels alike is stacked as it is.
  virtual std::optional<Operation> stacked(const Operation& one, const std::vector<Shape>& inputs,
                                           int64_t n) const;
  /// Returns what Operation::widened returns for `one`, an operation of this kind; none by default.
  virtual std::optional<Operation> widened(const Operation& one, const std::vector<Shape>& inputs,
                                           int64_t n) const;

  /// Returns the graph that a composite stands for, with one input per given shape and one output.
  /// Null for a primitive.
  virtual std::shared_ptr<const Graph> expand(const Json& parameters,
                                              const std::vector<Shape>& inputs) const;

 private:
  std::string type_;
};

}  // namespace retia::ir
