#include "retia/engine/operations/linear.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>

#include "retia/engine/operations/elastic_layer.h"
#include "retia/engine/operations/grouped_linear.h"
#include "retia/engine/operations/primitive.h"

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
    draw_uniformly(*this, fan_in_bound(weight_), generator);
  }

 private:
  at::Tensor weight_, bias_;
};

/// The first `out` rows and `in` columns are an option's.
class ElasticLinear final : public ElasticLayer {
 public:
  ElasticLinear(const LinearOptions& o, const Dim& in) {
    const SharedAxis rows = SharedAxis::channels(o.out);
    weight_ = share_parameter("weight", {rows, SharedAxis::channels(in)});
    if (o.bias.value()) {
      share_parameter("bias", {rows});
    }
  }

  at::Tensor forward(at::TensorList inputs) override {
    return at::linear(inputs[0], mixed("weight"), mixed("bias"));
  }

  void initialise(at::Generator& generator) override {
    draw_uniformly(*this, fan_in_bound(weight_), generator);
  }

 private:
  at::Tensor weight_;
};

class Linear final : public Primitive<LinearOptions> {
 public:
  Linear() : Primitive("linear") {}

  std::optional<ir::Operation> stacked(const ir::Operation& one, const Shapes&,
                                       int64_t n) const override {
    const auto o = one.parameters().get<LinearOptions>();
    return ops::grouped_linear({.out = o.out * n, .groups = n, .bias = o.bias});
  }
  std::optional<ir::Operation> widened(const ir::Operation& one, const Shapes&,
                                       int64_t n) const override {
    auto o = one.parameters().get<LinearOptions>();
    o.out = o.out * n;
    return ops::linear(o);
  }

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
    const Dim& in = inputs.front()[0];
    if (!in.decided() || !o.out.decided()) {
      return std::make_shared<ElasticLinear>(o, in);
    }
    return std::make_shared<LinearLayer>(in.value(), o.out.value(), o.bias.value());
  }

  std::set<std::string> shared_parameters() const override { return {"out"}; }
};

}  // namespace

ir::Operation ops::linear(const LinearOptions& options) { return operation<Linear>(options); }

}  // namespace retia
