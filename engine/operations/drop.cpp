#include "retia/engine/operations/drop.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/bitwise_right_shift.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "retia/engine/base/random.h"
#include "retia/engine/operations/primitive.h"

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

  bool is_skip() const override { return true; }

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

/// z >> n with zeros shifted in.
at::Tensor shifted(const at::Tensor& z, int64_t n) {
  return at::bitwise_right_shift(z, n).bitwise_and((int64_t{1} << (64 - n)) - 1);
}

/// Uniform in [0, 1), `[samples, n]`, double: what generators in these states draw (see Random), on
/// any device.
at::Tensor uniform(const at::Tensor& states, int64_t n) {
  constexpr auto kGolden = static_cast<int64_t>(0x9E3779B97F4A7C15);
  constexpr auto kFirst = static_cast<int64_t>(0xBF58476D1CE4E5B9);
  constexpr auto kSecond = static_cast<int64_t>(0x94D049BB133111EB);
  at::Tensor z = states.unsqueeze(1) + at::arange(1, n + 1, states.options()) * kGolden;
  z = z.bitwise_xor(shifted(z, 30)) * kFirst;
  z = z.bitwise_xor(shifted(z, 27)) * kSecond;
  z = z.bitwise_xor(shifted(z, 31));
  return shifted(z, 11).to(at::kDouble) * 0x1p-53;
}

class FadingDropoutLayer final : public StochasticLayer {
 public:
  explicit FadingDropoutLayer(const FadingDropoutOptions& o)
      : probability_(o.probability.value()), hold_(o.hold.value()), decay_(o.decay.value()) {}

  void prepare(const std::vector<uint64_t>& sample_keys, double progress,
               uint64_t stream) override {
    drop_ =
        probability_ * (progress < hold_ ? 1 - progress : std::exp(-decay_ * (progress - hold_)));
    states_.clear();
    for (const uint64_t key : sample_keys) {
      states_.push_back(static_cast<int64_t>(mix({mix({key, stream})})));
    }
  }

  at::Tensor forward(at::TensorList inputs) override {
    const at::Tensor& x = inputs[0];
    if (!is_training() || probability_ == 0) {
      return x;
    }
    const int64_t n = x.size(0);
    TORCH_CHECK(static_cast<int64_t>(states_.size()) == n, "fading_dropout was prepared for ",
                states_.size(), " samples, got ", n, ": give the network the keys of each batch");
    const at::Tensor states = at::tensor(states_, at::kLong).to(x.device());
    const at::Tensor stays = uniform(states, n == 0 ? 0 : x.numel() / n) >= drop_;
    return x * (stays.to(x.scalar_type()) / (1 - drop_)).view(x.sizes());
  }

 private:
  double probability_, hold_, decay_;
  double drop_ = 0;
  std::vector<int64_t> states_;  // of a generator for each sample
};

class FadingDropout final : public Primitive<FadingDropoutOptions> {
 public:
  FadingDropout() : Primitive("fading_dropout") {}

  bool is_skip() const override { return true; }

 private:
  Shape infer(const FadingDropoutOptions& o, const Shapes& inputs) const override {
    TORCH_CHECK(inputs.size() == 1, "expected one input, got ", inputs.size());
    TORCH_CHECK(o.probability.min() >= 0 && o.probability.max() < 1,
                "probability must be at least 0 and below 1, got ", o.probability.to_string());
    TORCH_CHECK(o.hold.min() >= 0 && o.decay.min() >= 0, "hold and decay must be at least 0, got ",
                o.hold.to_string(), " and ", o.decay.to_string());
    return inputs.front();
  }
  std::shared_ptr<Layer> make(const FadingDropoutOptions& o, const Shapes&) const override {
    return std::make_shared<FadingDropoutLayer>(o);
  }
};

}  // namespace

ir::Operation ops::drop_path(const DropOptions& options) { return operation<DropPath>(options); }

ir::Operation ops::fading_dropout(const FadingDropoutOptions& options) {
  return operation<FadingDropout>(options);
}

}  // namespace retia
