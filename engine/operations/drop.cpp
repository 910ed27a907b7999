#include "engine/operations/drop.h"

#include <ATen/ops/tensor.h>

#include "engine/operations/primitive.h"
#include "engine/random.h"

namespace retia {
namespace {

class DropPathLayer final : public StochasticLayer {
 public:
  explicit DropPathLayer(double probability) : probability_(probability) {}

  void prepare(const std::vector<uint64_t>& sample_keys, double progress,
               uint64_t stream) override {
    const double drop = probability_ * progress;
    scale_.clear();
    for (const uint64_t key : sample_keys) {
      const bool stays = Random(mix({key, stream})).uniform() >= drop;
      scale_.push_back(stays ? 1.0 / (1.0 - drop) : 0.0);
    }
  }

  at::Tensor forward(at::TensorList inputs) override {
    const at::Tensor& x = inputs[0];
    if (!is_training() || probability_ == 0) {
      return x;
    }
    TORCH_CHECK(static_cast<int64_t>(scale_.size()) == x.size(0), "drop_path was prepared for ",
                scale_.size(), " samples, got ", x.size(0),
                ": give the network the keys of each batch");
    std::vector<int64_t> sizes(static_cast<size_t>(x.dim()), 1);
    sizes[0] = x.size(0);
    return x * at::tensor(scale_, x.options().requires_grad(false)).view(sizes);
  }

 private:
  double probability_;
  std::vector<double> scale_;
};

class DropPath final : public Primitive<DropOptions> {
 public:
  DropPath() : Primitive("drop_path") {}

 private:
  Shape infer(const DropOptions& o, const Shapes& inputs) const override {
    TORCH_CHECK(inputs.size() == 1, "expected one input, got ", inputs.size());
    TORCH_CHECK(o.probability.min() >= 0 && o.probability.max() < 1,
                "probability must be at least 0 and below 1, got ", o.probability.to_string());
    return inputs.front();
  }
  std::shared_ptr<Layer> make(const DropOptions& o, const Shapes&) const override {
    return std::make_shared<DropPathLayer>(o.probability.value());
  }
};

}  // namespace

ir::Operation ops::drop_path(const DropOptions& options) { return operation<DropPath>(options); }

}  // namespace retia
