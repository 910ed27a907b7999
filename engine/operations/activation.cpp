#include "retia/engine/operations/activation.h"

#include <ATen/ops/relu.h>
#include <ATen/ops/relu6.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tanh.h>

#include "retia/engine/operations/primitive.h"

namespace retia {
namespace {

/// A function of each number by itself.
class Activation : public Primitive<ops::NoOptions> {
 public:
  using Function = at::Tensor (*)(const at::Tensor&);
  Activation(const char* type, Function function) : Primitive(type), function_(function) {}

  bool treats_channels_alike() const override { return true; }

 private:
  Shape infer(const ops::NoOptions&, const Shapes& inputs) const override {
    return one_input(inputs);
  }
  std::shared_ptr<Layer> make(const ops::NoOptions&, const Shapes&) const override {
    return function_layer(
        [function = function_](at::TensorList inputs) { return function(inputs[0]); });
  }

  Function function_;
};

class Relu final : public Activation {
 public:
  Relu() : Activation("relu", &at::relu) {}
};

class Relu6 final : public Activation {
 public:
  Relu6() : Activation("relu6", &at::relu6) {}
};

class Sigmoid final : public Activation {
 public:
  Sigmoid() : Activation("sigmoid", &at::sigmoid) {}
};

class Silu final : public Activation {
 public:
  Silu() : Activation("silu", &at::silu) {}
};

class Tanh final : public Activation {
 public:
  Tanh() : Activation("tanh", &at::tanh) {}
};

}  // namespace

ir::Operation ops::relu() { return operation<Relu>(ops::NoOptions{}); }
ir::Operation ops::relu6() { return operation<Relu6>(ops::NoOptions{}); }
ir::Operation ops::sigmoid() { return operation<Sigmoid>(ops::NoOptions{}); }
ir::Operation ops::silu() { return operation<Silu>(ops::NoOptions{}); }
ir::Operation ops::tanh() { return operation<Tanh>(ops::NoOptions{}); }

}  // namespace retia
