#include "engine/operations/conv2d.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>

#include <cmath>

#include "engine/operations/primitive.h"

namespace retia {
namespace {

class Conv2dLayer final : public Layer {
 public:
  Conv2dLayer(const Conv2dOptions& o, int64_t channels_in)
      : stride_(o.stride.value()),
        padding_(o.padding.value()),
        dilation_(o.dilation.value()),
        groups_(o.groups.value()) {
    const int64_t kernel = o.kernel.value();
    fan_in_ = channels_in / groups_ * kernel * kernel;
    weight_ = register_parameter("weight",
                                 at::empty({o.out.value(), channels_in / groups_, kernel, kernel}));
    if (o.bias.value()) {
      bias_ = register_parameter("bias", at::empty({o.out.value()}));
    }
  }

  at::Tensor forward(at::TensorList inputs) override {
    return at::conv2d(inputs[0], weight_, bias_, stride_, padding_, dilation_, groups_);
  }

  void initialise(at::Generator& generator) override {
    const at::NoGradGuard no_grad;
    const double bound = 1.0 / std::sqrt(static_cast<double>(fan_in_));
    weight_.uniform_(-bound, bound, generator);
    if (bias_.defined()) {
      bias_.uniform_(-bound, bound, generator);
    }
  }

 private:
  at::Tensor weight_, bias_;
  int64_t stride_, padding_, dilation_, groups_, fan_in_ = 1;
};

/// `o` with what its defaults stand for.
Conv2dOptions resolved(Conv2dOptions o, const Shape& input) {
  const auto is = [](const Dim& dim, int64_t value) {
    return dim.decided() && dim.value() == value;
  };
  if (is(o.out, 0)) {
    o.out = input[0];
  }
  if (is(o.padding, -1)) {
    o.padding = floor_div(o.dilation * (o.kernel - 1), 2);
  }
  if (o.depthwise.value()) {
    o.groups = input[0];
  }
  return o;
}

class Conv2d final : public Primitive<Conv2dOptions> {
 public:
  Conv2d() : Primitive("conv2d") {}

 private:
  Shape infer(const Conv2dOptions& options, const Shapes& inputs) const override {
    const Shape& input = one_input(inputs, 3);
    const Conv2dOptions o = resolved(options, input);
    for (const Dim& size : {o.kernel, o.stride, o.dilation, o.groups, o.out}) {
      TORCH_CHECK(size.min() >= 1,
                  "out, kernel, stride, dilation and groups must be at least 1, got ",
                  size.to_string());
    }
    TORCH_CHECK(o.padding.min() >= 0,
                "padding must be at least 0, or -1 for half of the kernel, got ",
                o.padding.to_string());
    for (const Dim& channels : {input[0], o.out}) {
      TORCH_CHECK((channels % o.groups).max() == 0, channels.to_string(),
                  " channels do not divide into ", o.groups.to_string(), " groups");
    }
    Shape result = {o.out};
    for (size_t d = 1; d < 3; ++d) {
      const Dim room = input[d] + 2 * o.padding - o.dilation * (o.kernel - 1) - 1;
      TORCH_CHECK(room.min() >= 0, "a kernel of ", o.kernel.to_string(), " with padding ",
                  o.padding.to_string(), " does not fit into ", ir::to_string(input));
      result.push_back(floor_div(room, o.stride) + 1);
    }
    return result;
  }

  ir::Cost cost(const Conv2dOptions& options, const Shapes& inputs) const override {
    const Shape& input = inputs.front();
    const Conv2dOptions o = resolved(options, input);
    const Shape output = infer(options, inputs);
    const Dim weights = o.out * floor_div(input[0], o.groups) * o.kernel * o.kernel;
    return {weights * output[1] * output[2], o.bias.value() ? weights + o.out : weights};
  }

  std::shared_ptr<Layer> make(const Conv2dOptions& options, const Shapes& inputs) const override {
    return std::make_shared<Conv2dLayer>(resolved(options, inputs.front()),
                                         inputs.front()[0].value());
  }
};

}  // namespace

ir::Operation ops::conv2d(const Conv2dOptions& options) { return operation<Conv2d>(options); }

}  // namespace retia
