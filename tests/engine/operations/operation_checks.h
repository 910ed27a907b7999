#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "retia/engine/mutables/layer.h"
#include "retia/engine/operations/operation.h"

namespace retia {

/// The layer of a decided operation on inputs of these sizes, with its initial weights.
inline std::shared_ptr<Layer> layer_of(const ir::Operation& operation,
                                       const std::vector<Shape>& inputs) {
  auto layer = operation.kind().make(operation.parameters(), inputs);
  at::Generator generator = at::detail::createCPUGenerator(1);
  layer->initialise(generator);
  return layer;
}

inline std::vector<Shape> shapes_of(const std::vector<std::vector<int64_t>>& sizes) {
  std::vector<Shape> shapes;
  for (const std::vector<int64_t>& one : sizes) {
    shapes.emplace_back(one.begin(), one.end());
  }
  return shapes;
}

/// The shape of what `operation` makes of inputs of the shapes `inputs`.
inline Shape shape_of(const ir::Operation& operation, const std::vector<Shape>& inputs) {
  return operation.kind().infer(operation.parameters(), inputs);
}

inline std::string inferred(const ir::Operation& operation,
                            const std::vector<std::vector<int64_t>>& sizes) {
  return ir::to_string(shape_of(operation, shapes_of(sizes)));
}

/// What the layer of `operation` makes of `inputs`, which have a batch.
inline at::Tensor result_of(const ir::Operation& operation, const std::vector<at::Tensor>& inputs) {
  std::vector<Shape> shapes;
  for (const at::Tensor& input : inputs) {
    const std::vector<int64_t> sizes = input.sizes().slice(1).vec();
    shapes.emplace_back(sizes.begin(), sizes.end());
  }
  const auto layer = layer_of(operation, shapes);
  layer->to(inputs.front().scalar_type());
  layer->eval();
  return layer->forward(inputs);
}

/// Calls `visit` with every joint decision of `choices`.
inline void for_every_decision(std::map<std::string, int64_t> choices, const Architecture& decided,
                               const std::function<void(const Architecture&)>& visit) {
  if (choices.empty()) {
    return visit(decided);
  }
  const auto [label, count] = *choices.begin();
  choices.erase(choices.begin());
  for (int64_t k = 0; k < count; ++k) {
    Architecture more = decided;
    more[label] = {{k}};
    for_every_decision(choices, more, visit);
  }
}

/// Expects that the shape and the number of parameters that are calculated for inputs of these
/// sizes, and of sizes one larger in all but the first dimension, are those of the real layer: for
/// every decision of the value choices in `operation`, calculated before and after deciding.
inline void expect_true_shapes(const ir::Operation& operation,
                               const std::vector<std::vector<int64_t>>& sizes) {
  std::map<std::string, int64_t> choices;
  const auto note = [&](const std::string& label, const std::vector<std::string>& names) {
    choices[label] = static_cast<int64_t>(names.size());
  };
  operation.visit_choices(note);
  std::vector<Shape> symbolic;
  for (const std::vector<int64_t>& one : sizes) {
    Shape shape(one.begin(), one.end());
    for (size_t d = 1; d < shape.size(); ++d) {
      shape[d] =
          ValueChoice<int64_t>(std::string("d").append(std::to_string(d)), {one[d], one[d] + 1});
      shape[d].expression().visit_choices(note);
    }
    symbolic.push_back(shape);
  }
  const Shape result = shape_of(operation, symbolic);
  for_every_decision(choices, {}, [&](const Architecture& architecture) {
    const ir::Operation decided = operation.at(architecture);
    std::vector<Shape> read;
    std::vector<at::Tensor> inputs;
    for (const Shape& shape : symbolic) {
      std::vector<int64_t> with_batch = {2};
      read.emplace_back();
      for (const Dim& dim : shape) {
        read.back().push_back(dim.at(architecture));
        with_batch.push_back(read.back().back().value());
      }
      inputs.push_back(at::ones(with_batch));
    }
    const auto layer = layer_of(decided, read);
    const std::vector<int64_t> real = layer->forward(inputs).sizes().slice(1).vec();
    const Shape expected(real.begin(), real.end());
    const std::string which =
        operation.type() + decided.parameters().dump() + " of " + ir::to_string(read.front());
    EXPECT_EQ(shape_of(decided, read), expected) << which;
    Shape at;
    for (const Dim& dim : result) {
      at.push_back(dim.at(architecture));
    }
    EXPECT_EQ(at, expected) << which;
    int64_t n_parameters = 0;
    for (const at::Tensor& parameter : layer->parameters()) {
      n_parameters += parameter.numel();
    }
    EXPECT_EQ(decided.kind().cost(decided.parameters(), read).parameters.value(), n_parameters)
        << which;
  });
}

}  // namespace retia
