#include "engine/operations/linear.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>

#include <cmath>

#include "engine/operations/primitive.h"

namespace retia {
namespace {

class LinearLayer final : public Layer {
 public:
  LinearLayer(int64_t in, int64_t out, bool with_bias) {
    weight_ = register_parameter("weight", at::empty({out, in}));
    if (with_bias) {
      bias_ = register_parameter("bias", at::empty({out}));
    }
  }

  at::Tensor forward(at::TensorList inputs) override {
    return at::linear(inputs[0], weight_, bias_);
  }

  void initialise(at::Generator& generator) override {
    const at::NoGradGuard no_grad;
    const double bound = 1.0 / std::sqrt(static_cast<double>(weight_.size(1)));
    weight_.uniform_(-bound, bound, generator);
    if (bias_.defined()) {
      bias_.uniform_(-bound, bound, generator);
    }
  }

 private:
  at::Tensor weight_, bias_;
};

class Linear final : public Primitive<LinearOptions> {
 public:
  Linear() : Primitive("linear") {}

 private:
  Shape infer(const LinearOptions& o, const Shapes& inputs) const override {
    one_input(inputs, 1);
    TORCH_CHECK(o.out.min() >= 1, "out must be at least 1, got ", o.out.to_string());
    return {o.out};
  }

  ir::Cost cost(const LinearOptions& o, const Shapes& inputs) const override {
    const Dim weights = inputs.front()[0] * o.out;
    return {weights, o.bias.value() ? weights + o.out : weights};
  }

  std::shared_ptr<Layer> make(const LinearOptions& o, const Shapes& inputs) const override {
    return std::make_shared<LinearLayer>(inputs.front()[0].value(), o.out.value(), o.bias.value());
  }
};

}  // namespace

ir::Operation ops::linear(const LinearOptions& options) { return operation<Linear>(options); }

}  // namespace retia
