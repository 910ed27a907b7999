#include "retia/engine/operations/conv2d.h"

#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>

#include "retia/engine/operations/elastic_layer.h"
#include "retia/engine/operations/primitive.h"
#include "retia/engine/symbolic/channels.h"

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
    draw_uniformly(*this, fan_in_bound(weight_), generator);
  }

 private:
  at::Tensor weight_, bias_;
  int64_t stride_, padding_, dilation_, groups_;
};

/// The first filters, of a filter the first channels and of a channel the middle of the kernel are
/// an option's. Where there are groups, an option has the first of them, of equal size in all
/// options.
class ElasticConv2d final : public ElasticLayer {
 public:
  /// `o`: options without defaults to fill in, see resolved.
  ElasticConv2d(const Conv2dOptions& o, const Dim& in)
      : stride_(o.stride.value()), dilation_(o.dilation.value()), is_grouped_(o.groups.max() > 1) {
    if (is_grouped_) {
      check_groups(o, in);
      channels_per_group_ = in.max() / o.groups.max();
    }
    const Dim largest = o.kernel.max();
    const Dim start = ir::settled(o.padding + dilation_ * floor_div(largest - o.kernel, 2));
    TORCH_CHECK(start.decided(), "kernel ", o.kernel.to_string(), " and padding ",
                o.padding.to_string(),
                " are not centred alike, so that they cannot share weights: leave the padding at "
                "-1, which follows the kernel");
    padding_ = start.value();
    const SharedAxis rows = SharedAxis::channels(o.out), side = SharedAxis::kernel(o.kernel);
    const SharedAxis columns =
        is_grouped_ ? SharedAxis::whole(channels_per_group_) : SharedAxis::channels(in);
    weight_ = share_parameter("weight", {rows, columns, side, side});
    if (o.bias.value()) {
      share_parameter("bias", {rows});
    }
  }

  at::Tensor forward(at::TensorList inputs) override {
    const at::Tensor& x = inputs[0];
    const int64_t cut = shared("weight").axes.kept()[2].front().begin;
    const int64_t groups = is_grouped_ ? x.size(1) / channels_per_group_ : 1;
    return at::conv2d(x, mixed("weight"), mixed("bias"), stride_, padding_ - dilation_ * cut,
                      dilation_, groups);
  }

  void initialise(at::Generator& generator) override {
    draw_uniformly(*this, fan_in_bound(weight_), generator);
  }

 private:
  static void check_groups(const Conv2dOptions& o, const Dim& in) {
    for (const Dim& channels : {in, o.out}) {
      const Dim constant = o.groups * (channels.max() / o.groups.max());
      TORCH_CHECK(always_equal(channels.expression(), constant.expression()), "groups ",
                  o.groups.to_string(), " are in no constant ratio to channels ",
                  channels.to_string(),
                  ", so that they cannot share weights: write groups as channels // n, or set "
                  "depthwise");
    }
    TORCH_CHECK(
        ir::parts(in).size() == 1 || (ir::same_parts(in, o.out) && ir::same_parts(in, o.groups)),
        "channels ", in.to_string(),
        " were joined, so that groups of them cannot share weights: set depthwise, or put a "
        "convolution without groups in between");
  }

  at::Tensor weight_;
  int64_t stride_, dilation_, padding_ = 0;  // padding of the largest kernel
  bool is_grouped_;
  int64_t channels_per_group_ = 0;
};

/// Returns `o` with defaults replaced by the numbers they stand for.
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

/// Returns the options of `one` with the default of `out` replaced by the number it stands for.
Conv2dOptions with_channels_out(const ir::Operation& one, const std::vector<Shape>& inputs) {
  auto o = one.parameters().get<Conv2dOptions>();
  o.out = o.out.value() == 0 ? inputs.front()[0] : o.out;
  return o;
}

class Conv2d final : public Primitive<Conv2dOptions> {
 public:
  Conv2d() : Primitive("conv2d") {}

  std::optional<ir::Operation> stacked(const ir::Operation& one, const Shapes& inputs,
                                       int64_t n) const override {
    Conv2dOptions o = with_channels_out(one, inputs);
    o.out = o.out * n;
    o.groups = o.groups * n;
    return ops::conv2d(o);
  }
  std::optional<ir::Operation> widened(const ir::Operation& one, const Shapes& inputs,
                                       int64_t n) const override {
    Conv2dOptions o = with_channels_out(one, inputs);
    if (o.depthwise.value() || o.groups.value() != 1) {
      return std::nullopt;
    }
    o.out = o.out * n;
    return ops::conv2d(o);
  }

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
      result.push_back(ir::settled(floor_div(room, o.stride) + 1));
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
    const Dim& in = inputs.front()[0];
    const Conv2dOptions o = resolved(options, inputs.front());
    for (const Dim& size : {in, o.out, o.kernel, o.groups, o.padding}) {
      if (!size.decided()) {
        return std::make_shared<ElasticConv2d>(o, in);
      }
    }
    return std::make_shared<Conv2dLayer>(o, in.value());
  }

  std::set<std::string> shared_parameters() const override {
    return {"out", "kernel", "groups", "padding"};
  }
};

}  // namespace

ir::Operation ops::conv2d(const Conv2dOptions& options) { return operation<Conv2d>(options); }

}  // namespace retia
