#include "retia/engine/operations/grouped_linear.h"

#include <ATen/ops/baddbmm.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/empty.h>

#include "retia/engine/operations/primitive.h"

namespace retia {
namespace {

class GroupedLinearLayer final : public Layer {
 public:
  GroupedLinearLayer(int64_t in, int64_t out, int64_t groups, bool with_bias) : groups_(groups) {
    weight_ = register_parameter("weight", at::empty({out, in / groups}));
    if (with_bias) {
      bias_ = register_parameter("bias", at::empty({out}));
    }
  }

  at::Tensor forward(at::TensorList inputs) override {
    const at::Tensor x = inputs[0].unflatten(1, {groups_, -1}).transpose(0, 1);
    const at::Tensor weight = weight_.unflatten(0, {groups_, -1}).transpose(1, 2);
    const at::Tensor y =
        bias_.defined() ? at::baddbmm(bias_.view({groups_, 1, -1}), x, weight) : at::bmm(x, weight);
    return y.transpose(0, 1).flatten(1);
  }

  void initialise(at::Generator& generator) override {
    draw_uniformly(*this, fan_in_bound(weight_), generator);
  }

 private:
  at::Tensor weight_, bias_;
  int64_t groups_;
};

class GroupedLinear final : public Primitive<GroupedLinearOptions> {
 public:
  GroupedLinear() : Primitive("grouped_linear") {}

 private:
  Shape infer(const GroupedLinearOptions& o, const Shapes& inputs) const override {
    const Shape& input = one_input(inputs, 1);
    TORCH_CHECK(o.out.min() >= 1 && o.groups.min() >= 1, "out and groups must be at least 1, got ",
                o.out.to_string(), " and ", o.groups.to_string());
    for (const Dim& features : {input[0], o.out}) {
      TORCH_CHECK((features % o.groups).max() == 0, features.to_string(),
                  " features do not divide into ", o.groups.to_string(), " groups");
    }
    return {o.out};
  }

  ir::Cost cost(const GroupedLinearOptions& o, const Shapes& inputs) const override {
    const Dim weights = floor_div(inputs.front()[0], o.groups) * o.out;
    return {weights, o.bias.value() ? weights + o.out : weights};
  }

  std::shared_ptr<Layer> make(const GroupedLinearOptions& o, const Shapes& inputs) const override {
    return std::make_shared<GroupedLinearLayer>(decided(inputs.front()).front(), o.out.value(),
                                                o.groups.value(), o.bias.value());
  }
};

}  // namespace

ir::Operation ops::grouped_linear(const GroupedLinearOptions& options) {
  return operation<GroupedLinear>(options);
}

}  // namespace retia
