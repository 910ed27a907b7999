#pragma once

#include <ATen/TensorOperators.h>
#include <torch/nn/module.h>
#include <torch/nn/pimpl.h>

#include "retia/engine/mutables/input_choice.h"
#include "retia/engine/mutables/layer_choice.h"

namespace retia {

/// Multiplies by a weight and counts its calls.
class ScaleImpl : public torch::nn::Module {
 public:
  explicit ScaleImpl(double factor)
      : weight(register_parameter("weight", at::full({}, factor, at::kDouble))) {}
  at::Tensor forward(const at::Tensor& x) {
    ++n_calls;
    return x * weight;
  }
  at::Tensor weight;
  int64_t n_calls = 0;
};
TORCH_MODULE(Scale);

/// A plain torch module of a user's with a choice of three layers and one of three inputs.
class PlainImpl : public torch::nn::Module {
 public:
  explicit PlainImpl(InputChoiceModuleOptions options)
      : two(register_module("two", Scale(2))),
        three(register_module("three", Scale(3))),
        op(register_module("op",
                           LayerChoice(std::vector<NamedCandidate>{
                               {"five", Scale(5)}, {"seven", Scale(7)}, {"eleven", Scale(11)}}))),
        pick(register_module("pick", InputChoice(std::move(options)))) {}

  std::vector<at::Tensor> inputs(const at::Tensor& x) { return {two(x), three(x), op->forward(x)}; }
  at::Tensor forward(const at::Tensor& x) { return pick->forward(inputs(x)); }

  Scale two, three;
  LayerChoice op;
  InputChoice pick;
};
TORCH_MODULE(Plain);

}  // namespace retia
