#pragma once

#include <ATen/ops/zeros.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "retia/engine/operations/primitive.h"

namespace retia {

/// Puts `generator` in the place of LibTorch's global CPU generator, from which torch modules draw
/// their weights, for as long as the object lives; then restores the global generator's state.
class LentGenerator {
 public:
  /// Starts from the state of `generator`, a CPU generator that stays unchanged itself.
  explicit LentGenerator(const at::Generator& generator);
  /// Uses a generator with a fixed seed.
  LentGenerator();
  ~LentGenerator();
  LentGenerator(const LentGenerator&) = delete;
  LentGenerator& operator=(const LentGenerator&) = delete;

 private:
  at::Tensor saved_;
};

/// A layer around a user's module.
template <class UserModule>
class ModuleLayer final : public Layer {
 public:
  /// Makes the module for inputs of the sizes `in`, without the batch.
  ModuleLayer(const typename UserModule::Options& options, std::vector<int64_t> in)
      : options_(options), in_(std::move(in)) {
    const LentGenerator lent;
    module_ = register_module("module", std::make_shared<UserModule>(options_, in_));
  }
  at::Tensor forward(at::TensorList inputs) override { return module_->forward(inputs[0]); }

  /// Makes the module again, since its constructor draws the weights.
  void initialise(at::Generator& generator) override {
    const LentGenerator lent(generator);
    module_ = replace_module("module", std::make_shared<UserModule>(options_, in_));
  }

 private:
  typename UserModule::Options options_;
  std::vector<int64_t> in_;
  std::shared_ptr<UserModule> module_;
};

/// A kind of operation that is a user's torch module, with one input. Passes cannot look into it.
/// `UserModule` has
///   - `using Options = …;` an aggregate that reads from JSON,
///   - `UserModule(const Options&, const std::vector<int64_t>& in)`; `in`: sizes of the input,
///     without the batch; draws the weights from LibTorch's global generator,
///   - `at::Tensor forward(const at::Tensor&)`,
///   - optionally `static Shape infer(const Options&, const Shape& in)`; without it the output
///     shape is found by running the module on zeros, which needs decided options.
template <class UserModule>
class ModuleKind final : public Primitive<typename UserModule::Options> {
 public:
  /// The parameters of the operation: the module's own options.
  using Options = typename UserModule::Options;
  using Primitive<Options>::Primitive;

 private:
  Shape infer(const Options& options, const std::vector<Shape>& inputs) const override {
    TORCH_CHECK(inputs.size() == 1, "expected one input, got ", inputs.size());
    if constexpr (requires { UserModule::infer(options, inputs.front()); }) {
      return UserModule::infer(options, inputs.front());
    } else {
      const at::NoGradGuard no_grad;
      const LentGenerator lent;
      std::vector<int64_t> sizes = decided(inputs.front());
      const auto module = std::make_shared<UserModule>(options, sizes);
      module->eval();
      sizes.insert(sizes.begin(), 1);
      const at::Tensor result = module->forward(at::zeros(sizes));
      return {result.sizes().begin() + 1, result.sizes().end()};
    }
  }

  ir::Cost cost(const Options& options, const std::vector<Shape>& inputs) const override {
    int64_t parameters = 0;
    for (const at::Tensor& parameter : make(options, inputs)->parameters()) {
      parameters += parameter.numel();
    }
    return {0, parameters};
  }

  std::shared_ptr<Layer> make(const Options& options,
                              const std::vector<Shape>& inputs) const override {
    return std::make_shared<ModuleLayer<UserModule>>(options, decided(inputs.front()));
  }
};

}  // namespace retia
