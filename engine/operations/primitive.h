#pragma once

#include <c10/util/Exception.h>

#include <cmath>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "retia/engine/io/options.h"
#include "retia/engine/mutables/layer.h"
#include "retia/engine/operations/operation.h"

namespace retia {

/// The kind of a primitive operation whose parameters are the aggregate `Options`.
template <class Options>
class Primitive : public ir::OperationKind {
 public:
  using ir::OperationKind::OperationKind;
  /// One shape per input, without the batch dimension.
  using Shapes = std::vector<Shape>;
  /// The result of passed_on(): where the channels of the output come from.
  using Ranges = std::optional<std::vector<ir::ChannelRange>>;

  /// Reads `given` as Options and returns all of these. Throws on an unknown key.
  Json complete(const Json& given) const final {
    return options_from_json<Options>(given, "operation '" + type() + "'");
  }
  /// Returns the shape of the result for `parameters` read as Options.
  Shape infer(const Json& parameters, const Shapes& inputs) const final {
    return infer(parameters.get<Options>(), inputs);
  }
  /// Returns the cost for one sample for `parameters` read as Options.
  ir::Cost cost(const Json& parameters, const Shapes& inputs) const final {
    return cost(parameters.get<Options>(), inputs);
  }
  /// Makes the layer. Throws where a parameter is a choice whose values cannot share weights.
  std::shared_ptr<Layer> make(const Json& parameters, const Shapes& inputs) const final {
    check_choices(parameters);
    return make(parameters.get<Options>(), inputs);
  }

 private:
  /// Throws where a parameter is a value choice whose values cannot share weights.
  void check_choices(const Json& parameters) const {
    const std::set<std::string> shared = shared_parameters();
    for (const auto& [name, value] : parameters.items()) {
      TORCH_CHECK(!ir::is_symbolic(value) || shared.count(name) != 0, "option '", name, "' of ",
                  type(), " is the choice ", value.template get<ir::Expression>().to_string(),
                  ", whose values share no weights in a supernet: make it a layer choice between "
                  "operations, or explore such a space by trials (retia explore)");
    }
  }

  virtual Shape infer(const Options& options, const Shapes& inputs) const = 0;
  virtual ir::Cost cost(const Options&, const Shapes&) const { return {}; }
  /// Makes the layer. Where sizes of inputs or of shared parameters are choices, it must be an
  /// ElasticLayer or accept any size.
  virtual std::shared_ptr<Layer> make(const Options& options, const Shapes& inputs) const = 0;
  /// Returns the parameters that may be choices in a supernet, since their values share weights.
  virtual std::set<std::string> shared_parameters() const { return {}; }
};

/// The functions that make operations, e.g. `ops::conv2d({.out = 64})`.
namespace ops {

/// The options of operations that have none.
struct NoOptions {};
/// Writes an empty object.
inline void to_json(Json& json, const NoOptions&) { json = Json::object(); }
/// Reads nothing; options_from_json rejects unknown keys.
inline void from_json(const Json&, NoOptions&) {}

}  // namespace ops

/// A layer without weights or state: a function of its inputs.
class FunctionLayer final : public Layer {
 public:
  /// Makes a layer that returns `function(inputs)`.
  explicit FunctionLayer(std::function<at::Tensor(at::TensorList)> function)
      : function_(std::move(function)) {}
  at::Tensor forward(at::TensorList inputs) override { return function_(inputs); }

 private:
  std::function<at::Tensor(at::TensorList)> function_;
};

/// Returns a FunctionLayer of `function`, which maps a list of tensors to one tensor.
template <class Function>
std::shared_ptr<Layer> function_layer(Function function) {
  return std::make_shared<FunctionLayer>(std::move(function));
}

/// Returns an operation of the kind `Kind`. All operations of one kind share one object.
template <class Kind, class Options>
ir::Operation operation(const Options& options) {
  static const auto kind = std::make_shared<const Kind>();
  return {kind, options};
}

/// Returns the only input's shape. Throws unless there is one input.
inline const Shape& one_input(const std::vector<Shape>& inputs) {
  TORCH_CHECK(inputs.size() == 1, "expected one input, got ", inputs.size());
  return inputs.front();
}

/// Returns the only input's shape. Throws unless there is one input of `dimensions` dimensions, not
/// counting the batch.
inline const Shape& one_input(const std::vector<Shape>& inputs, size_t dimensions) {
  one_input(inputs);
  TORCH_CHECK(inputs.front().size() == dimensions, "expected an input of ", dimensions,
              " dimensions", dimensions == 3 ? " (channels, height, width)" : "", ", got ",
              ir::to_string(inputs.front()));
  return inputs.front();
}

/// Returns the sizes of a shape. Throws where one is undecided.
inline std::vector<int64_t> decided(const Shape& shape) {
  std::vector<int64_t> sizes;
  for (const Dim& dim : shape) {
    TORCH_CHECK(dim.decided(), dim.to_string(),
                " is not decided, but is needed here: freeze the space, or explore it by trials "
                "(retia explore)");
    sizes.push_back(dim.value());
  }
  return sizes;
}

/// Returns 1 / √n, where an output is a weighted sum of n numbers: the bound within which PyTorch
/// draws weights. weight: [outputs, ...].
inline double fan_in_bound(const at::Tensor& weight) {
  return 1.0 / std::sqrt(static_cast<double>(weight[0].numel()));
}

/// Draws the parameters of `layer` uniformly within ± `bound`.
inline void draw_uniformly(Layer& layer, double bound, at::Generator& generator) {
  const at::NoGradGuard no_grad;
  for (at::Tensor& parameter : layer.parameters()) {
    parameter.uniform_(-bound, bound, generator);
  }
}

}  // namespace retia
