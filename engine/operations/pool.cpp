#include "retia/engine/operations/pool.h"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mean.h>

#include "retia/engine/operations/primitive.h"

namespace retia {
namespace {

int64_t padding_of(const PoolOptions& o) {
  return o.padding.value() == -1 ? o.kernel.value() / 2 : o.padding.value();
}

Shape pooled(const PoolOptions& o, const Shape& input) {
  const bool half = o.padding.decided() && o.padding.value() == -1;
  const Dim padding = half ? floor_div(o.kernel, 2) : o.padding;
  TORCH_CHECK(o.kernel.min() >= 1 && o.stride.min() >= 1,
              "kernel and stride must be at least 1, got ", o.kernel.to_string(), " and ",
              o.stride.to_string());
  TORCH_CHECK(padding.min() >= 0, "padding must be at least 0, or -1 for half of the kernel, got ",
              padding.to_string());
  TORCH_CHECK((o.kernel - 2 * padding).min() >= 0, "padding ", padding.to_string(),
              " is more than half of the kernel ", o.kernel.to_string());
  Shape result = {input[0]};
  for (size_t d = 1; d < 3; ++d) {
    const Dim room = input[d] + 2 * padding - o.kernel;
    TORCH_CHECK(room.min() >= 0, "a kernel of ", o.kernel.to_string(), " with padding ",
                padding.to_string(), " does not fit into ", ir::to_string(input));
    result.push_back(floor_div(room, o.stride) + 1);
  }
  return result;
}

class Pool2d : public Primitive<PoolOptions> {
 public:
  using Function = at::Tensor (*)(const at::Tensor& x, int64_t kernel, int64_t stride,
                                  int64_t padding);
  Pool2d(const char* type, Function pool) : Primitive(type), pool_(pool) {}

  bool treats_channels_alike() const override { return true; }

 private:
  Shape infer(const PoolOptions& o, const Shapes& inputs) const override {
    return pooled(o, one_input(inputs, 3));
  }
  std::shared_ptr<Layer> make(const PoolOptions& o, const Shapes&) const override {
    return function_layer([pool = pool_, kernel = o.kernel.value(), stride = o.stride.value(),
                           padding = padding_of(o)](at::TensorList inputs) {
      return pool(inputs[0], kernel, stride, padding);
    });
  }

  Function pool_;
};

class MaxPool2d final : public Pool2d {
 public:
  MaxPool2d()
      : Pool2d("max_pool2d",
               [](const at::Tensor& x, int64_t kernel, int64_t stride, int64_t padding) {
                 return at::max_pool2d(x, kernel, stride, padding);
               }) {}
};

class AvgPool2d final : public Pool2d {
 public:
  AvgPool2d()
      : Pool2d("avg_pool2d",
               [](const at::Tensor& x, int64_t kernel, int64_t stride, int64_t padding) {
                 return at::avg_pool2d(x, kernel, stride, padding, /*ceil_mode=*/false,
                                       /*count_include_pad=*/false);
               }) {}
};

class GlobalMean final : public Primitive<ops::NoOptions> {
 public:
  GlobalMean() : Primitive("global_mean") {}

  bool treats_channels_alike() const override { return true; }

 private:
  Shape infer(const ops::NoOptions&, const Shapes& inputs) const override {
    return {one_input(inputs, 3)[0]};
  }
  std::shared_ptr<Layer> make(const ops::NoOptions&, const Shapes&) const override {
    return function_layer([](at::TensorList inputs) { return inputs[0].mean({2, 3}); });
  }
};

}  // namespace

ir::Operation ops::max_pool2d(const PoolOptions& options) { return operation<MaxPool2d>(options); }
ir::Operation ops::avg_pool2d(const PoolOptions& options) { return operation<AvgPool2d>(options); }
ir::Operation ops::global_mean() { return operation<GlobalMean>(ops::NoOptions{}); }

}  // namespace retia
