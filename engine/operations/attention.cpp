#include "retia/engine/operations/attention.h"

#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/scaled_dot_product_attention.h>

#include <cmath>

#include "retia/engine/operations/elastic_layer.h"
#include "retia/engine/operations/primitive.h"
#include "retia/engine/symbolic/channels.h"

namespace retia {
namespace {

class AttentionLayer final : public ElasticLayer {
 public:
  /// `o`: options without defaults to fill in, see resolved.
  AttentionLayer(const AttentionOptions& o, const Dim& in)
      : in_({SharedAxis::channels(in)}),
        out_({SharedAxis::channels(o.out)}),
        width_(o.width),
        heads_(o.heads) {
    TORCH_CHECK(ir::parts(o.width).size() == 1, "width ", o.width.to_string(),
                " is that of joined channels, which heads cannot share: set width");
    const SharedAxis three = SharedAxis::whole(3), width = SharedAxis::channels(o.width),
                     out = SharedAxis::channels(o.out);
    first_.push_back(share_parameter("qkv_weight", {three, width, SharedAxis::channels(in)}));
    last_.push_back(share_parameter("out_weight", {out, width}));
    if (o.bias.value()) {
      first_.push_back(share_parameter("qkv_bias", {three, width}));
      last_.push_back(share_parameter("out_bias", {out}));
    }
    for (const Dim& dim : {o.width, o.heads}) {
      depend_on(dim);
      for (const auto& [label, count] : dim.expression().choices()) {
        labels_of_heads_.insert(label);
      }
    }
  }

  void follow(const ValueChoices& choices) override {
    ElasticLayer::follow(choices);
    in_.follow(choices);
    out_.follow(choices);
    choices_of_heads_ = choices_of(labels_of_heads_, choices);
  }

  at::Tensor forward(at::TensorList inputs) override {
    const at::Tensor& x = inputs[0];
    const at::Tensor tokens = x.flatten(2).transpose(1, 2);
    const at::TensorOptions like = x.options().requires_grad(false);
    const at::Tensor bias = part("qkv_bias"), in = in_.mask(like), out = out_.mask(like);
    at::Tensor qkv_weight = part("qkv_weight"), out_weight = part("out_weight");
    if (in.defined()) {
      qkv_weight = qkv_weight * in;
    }
    if (out.defined()) {
      out_weight = out_weight * out.reshape({-1, 1});
    }
    const at::Tensor qkv =
        at::linear(tokens, qkv_weight.flatten(0, 1), bias.defined() ? bias.flatten() : bias)
            .unflatten(2, {3, -1});
    const at::Tensor result = at::linear(attended(qkv), out_weight, mixed("out_bias"));
    return result.transpose(1, 2).unflatten(2, x.sizes().slice(2));
  }

  void initialise(at::Generator& generator) override {
    const at::NoGradGuard no_grad;
    for (const std::vector<at::Tensor>& map : {first_, last_}) {
      const double bound = 1.0 / std::sqrt(static_cast<double>(map.front().size(-1)));
      for (const at::Tensor& parameter : map) {
        parameter.uniform_(-bound, bound, generator);
      }
    }
  }

 private:
  /// Width and number of heads -> the weight of all options that have them; undefined: 1.
  using Shapes = std::map<std::pair<int64_t, int64_t>, at::Tensor>;

  Shapes chosen_shapes(const at::TensorOptions& like) const {
    Shapes chosen;
    const at::Tensor p = joint_weights(choices_of_heads_, like);
    const std::vector<Architecture> options = joint_options(choices_of_heads_);
    for (size_t k = 0; k < options.size(); ++k) {
      at::Tensor& weight = chosen[{width_.at(options[k]).value(), heads_.at(options[k]).value()}];
      if (p.defined()) {
        const at::Tensor more = p[static_cast<int64_t>(k)];
        weight = weight.defined() ? weight + more : more;
      }
    }
    return chosen;
  }

  /// qkv: [batch, tokens, 3, width] -> [batch, tokens, width].
  at::Tensor attended(const at::Tensor& qkv) const {
    at::Tensor sum;
    for (const auto& [shape, weight] : chosen_shapes(qkv.options().requires_grad(false))) {
      const auto [width, heads] = shape;
      // [batch, heads, tokens, 3, width of a head]
      const at::Tensor split =
          qkv.narrow(3, 0, width).unflatten(3, {heads, width / heads}).permute({0, 3, 1, 2, 4});
      at::Tensor made = at::scaled_dot_product_attention(split.select(3, 0), split.select(3, 1),
                                                         split.select(3, 2))
                            .transpose(1, 2)
                            .flatten(2);
      made = weight.defined() ? made * weight : made;
      if (width < qkv.size(3)) {
        made = at::constant_pad_nd(made, {0, qkv.size(3) - width});
      }
      sum = sum.defined() ? sum + made : made;
    }
    return sum;
  }

  std::vector<at::Tensor> first_, last_;  // weight and bias of the two maps
  SharedAxes in_, out_;
  Dim width_, heads_;
  std::set<std::string> labels_of_heads_;
  ValueChoices choices_of_heads_;
};

/// Returns `o` with defaults replaced by the numbers they stand for.
AttentionOptions resolved(AttentionOptions o, const Shape& input) {
  for (Dim* size : {&o.out, &o.width}) {
    if (size->decided() && size->value() == 0) {
      *size = input[0];
    }
  }
  return o;
}

class Attention final : public Primitive<AttentionOptions> {
 public:
  Attention() : Primitive("attention") {}

 private:
  Shape infer(const AttentionOptions& options, const Shapes& inputs) const override {
    TORCH_CHECK(inputs.size() == 1 && inputs.front().size() >= 2,
                "expected one input with channels and positions, got ",
                inputs.empty() ? "none" : ir::to_string(inputs.front()));
    const AttentionOptions o = resolved(options, inputs.front());
    for (const Dim& size : {o.out, o.width, o.heads}) {
      TORCH_CHECK(size.min() >= 1, "out, width and heads must be at least 1, got ",
                  size.to_string());
    }
    TORCH_CHECK((o.width % o.heads).max() == 0, "a width of ", o.width.to_string(),
                " does not divide into ", o.heads.to_string(), " heads");
    Shape result = inputs.front();
    result[0] = o.out;
    return result;
  }

  ir::Cost cost(const AttentionOptions& options, const Shapes& inputs) const override {
    const Shape& input = inputs.front();
    const AttentionOptions o = resolved(options, input);
    Dim positions = 1;
    for (size_t d = 1; d < input.size(); ++d) {
      positions = positions * input[d];
    }
    const Dim weights = 3 * input[0] * o.width + o.width * o.out;
    return {positions * (weights + 2 * positions * o.width),
            o.bias.value() ? weights + 3 * o.width + o.out : weights};
  }

  std::shared_ptr<Layer> make(const AttentionOptions& options,
                              const Shapes& inputs) const override {
    return std::make_shared<AttentionLayer>(resolved(options, inputs.front()), inputs.front()[0]);
  }

  std::set<std::string> shared_parameters() const override { return {"out", "width", "heads"}; }
};

}  // namespace

ir::Operation ops::attention(const AttentionOptions& options) {
  return operation<Attention>(options);
}

}  // namespace retia
