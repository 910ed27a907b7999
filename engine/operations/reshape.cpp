#include "retia/engine/operations/reshape.h"

#include <ATen/ops/constant_pad_nd.h>

#include "retia/engine/operations/primitive.h"
#include "retia/engine/operations/split_layer.h"
#include "retia/engine/symbolic/channels.h"

namespace retia {
namespace {

const Shape& with_channels(const std::vector<Shape>& inputs, const Dim& parts) {
  const Shape& input = one_input(inputs);
  TORCH_CHECK(!input.empty() && parts.min() >= 1 && (input[0] % parts).max() == 0,
              "expected channels that divide into ", parts.to_string(), ", got ",
              ir::to_string(input));
  return input;
}

class Identity final : public Primitive<ops::NoOptions> {
 public:
  Identity() : Primitive("identity") {}

  bool is_skip() const override { return true; }
  bool treats_channels_alike() const override { return true; }
  Ranges passed_on(const Json&, const Shapes& inputs) const override {
    const Shape& input = inputs.front();
    return std::vector<ir::ChannelRange>{{.size = input.empty() ? 1 : input.front().value()}};
  }

 private:
  Shape infer(const ops::NoOptions&, const Shapes& inputs) const override {
    return one_input(inputs);
  }
  std::shared_ptr<Layer> make(const ops::NoOptions&, const Shapes&) const override {
    return function_layer([](at::TensorList inputs) { return inputs[0]; });
  }
};

class ZeroLayer final : public Layer {
 public:
  explicit ZeroLayer(int64_t stride) : stride_(stride) {}
  at::Tensor forward(at::TensorList inputs) override {
    const at::Tensor& x = inputs[0];
    const auto strided = [this](int64_t size) { return (size + stride_ - 1) / stride_; };
    return x.new_zeros({x.size(0), x.size(1), strided(x.size(2)), strided(x.size(3))});
  }
  bool always_zero() const override { return true; }

 private:
  int64_t stride_;
};

class Zero final : public Primitive<ZeroOptions> {
 public:
  Zero() : Primitive("zero") {}

  bool always_zero() const override { return true; }
  bool treats_channels_alike() const override { return true; }

 private:
  Shape infer(const ZeroOptions& o, const Shapes& inputs) const override {
    const Shape& input = one_input(inputs, 3);
    TORCH_CHECK(o.stride.min() >= 1, "stride must be at least 1, got ", o.stride.to_string());
    return {input[0], floor_div(input[1] + o.stride - 1, o.stride),
            floor_div(input[2] + o.stride - 1, o.stride)};
  }
  std::shared_ptr<Layer> make(const ZeroOptions& o, const Shapes&) const override {
    return std::make_shared<ZeroLayer>(o.stride.value());
  }
};

class Split final : public Primitive<SplitOptions> {
 public:
  Split() : Primitive("split") {}

  Ranges passed_on(const Json& parameters, const Shapes& inputs) const override {
    const auto o = parameters.get<SplitOptions>();
    const int64_t part = inputs.front().front().value() / o.of.value();
    return std::vector<ir::ChannelRange>{
        {.begin = o.index.value() * part, .size = o.count.value() * part}};
  }

 private:
  Shape infer(const SplitOptions& o, const Shapes& inputs) const override {
    Shape result = with_channels(inputs, o.of);
    TORCH_CHECK(o.index.min() >= 0 && o.count.min() >= 1 && (o.of - o.index - o.count).min() >= 0,
                "part ", (o.index + o.count - 1).to_string(), " is outside 0 to ", o.of.to_string(),
                " - 1");
    result[0] = floor_div(result[0], o.of) * o.count;
    return result;
  }
  std::shared_ptr<Layer> make(const SplitOptions& o, const Shapes& inputs) const override {
    const int64_t part = decided(inputs.front()).front() / o.of.value();
    return std::make_shared<SplitLayer>(o.index.value() * part, o.count.value() * part);
  }
};

class Shuffle final : public Primitive<ShuffleOptions> {
 public:
  Shuffle() : Primitive("shuffle") {}

 private:
  Shape infer(const ShuffleOptions& o, const Shapes& inputs) const override {
    return with_channels(inputs, o.groups);
  }
  std::shared_ptr<Layer> make(const ShuffleOptions& o, const Shapes& inputs) const override {
    decided(inputs.front());
    return function_layer([groups = o.groups.value()](at::TensorList tensors) {
      const at::Tensor& x = tensors[0];
      return x.unflatten(1, {groups, x.size(1) / groups}).transpose(1, 2).flatten(1, 2);
    });
  }
};

class Shift final : public Primitive<ops::NoOptions> {
 public:
  Shift() : Primitive("shift") {}

  bool treats_channels_alike() const override { return true; }

 private:
  Shape infer(const ops::NoOptions&, const Shapes& inputs) const override {
    const Shape& input = one_input(inputs, 3);
    return {input[0], input[1] - 1 + input[1] % 2, input[2] - 1 + input[2] % 2};
  }
  std::shared_ptr<Layer> make(const ops::NoOptions&, const Shapes&) const override {
    return function_layer([](at::TensorList inputs) {
      const at::Tensor& x = inputs[0];
      const at::Tensor moved = x.slice(2, 1).slice(3, 1);
      const int64_t bottom = x.size(2) % 2;
      const int64_t right = x.size(3) % 2;
      return bottom + right == 0 ? moved : at::constant_pad_nd(moved, {0, right, 0, bottom});
    });
  }
};

class Flatten final : public Primitive<ops::NoOptions> {
 public:
  Flatten() : Primitive("flatten") {}

  bool treats_channels_alike() const override { return true; }

 private:
  Shape infer(const ops::NoOptions&, const Shapes& inputs) const override {
    const Shape& input = one_input(inputs);
    if (input.empty()) {
      return {1};
    }
    Dim per_channel = 1;
    for (size_t d = 1; d < input.size(); ++d) {
      per_channel = per_channel * input[d];
    }
    const std::vector<Dim> channels = ir::parts(input[0]);
    Dim features = channels.front() * per_channel;
    for (size_t i = 1; i < channels.size(); ++i) {
      features = ir::joined(features, channels[i] * per_channel);
    }
    return {features};
  }
  std::shared_ptr<Layer> make(const ops::NoOptions&, const Shapes&) const override {
    return function_layer([](at::TensorList inputs) { return inputs[0].flatten(1); });
  }
};

}  // namespace

ir::Operation ops::identity() { return operation<Identity>(ops::NoOptions{}); }
ir::Operation ops::zero(const ZeroOptions& options) { return operation<Zero>(options); }
ir::Operation ops::split(const SplitOptions& options) { return operation<Split>(options); }
ir::Operation ops::shuffle(const ShuffleOptions& options) { return operation<Shuffle>(options); }
ir::Operation ops::shift() { return operation<Shift>(ops::NoOptions{}); }
ir::Operation ops::flatten() { return operation<Flatten>(ops::NoOptions{}); }

}  // namespace retia
