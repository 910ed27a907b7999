#pragma once

#include <ATen/ops/zeros.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/operations/primitive.h"

namespace retia {

/// While it lives, LibTorch's global CPU generator, from which torch modules draw their weights,
/// draws what `generator` would; then it goes on as if nothing had been drawn.
class LentGenerator {
 public:
  explicit LentGenerator(const at::Generator& generator);
  /// Of a fixed seed.
  LentGenerator();
  ~LentGenerator();
  LentGenerator(const LentGenerator&) = delete;
  LentGenerator& operator=(const LentGenerator&) = delete;

 private:
  at::Tensor saved_;
};

/// The layer around a module of the user's.
template <class UserModule>
class ModuleLayer final : public Layer {
 public:
  ModuleLayer(const typename UserModule::Options& options, std::vector<int64_t> in)
      : options_(options), in_(std::move(in)) {
    const LentGenerator lent;
    module_ = register_module("module", std::make_shared<UserModule>(options_, in_));
  }
  at::Tensor forward(at::TensorList inputs) override { return module_->forward(inputs[0]); }

  /// Makes the module again, since it draws its weights when it is made.
  void initialise(at::Generator& generator) override {
    const LentGenerator lent(generator);
    module_ = replace_module("module", std::make_shared<UserModule>(options_, in_));
  }

 private:
  typename UserModule::Options options_;
  std::vector<int64_t> in_;
  std::shared_ptr<UserModule> module_;
};

/// A torch module as one opaque operation of one input. `UserModule` has
///   - `using Options = …;` an aggregate that reads from JSON,
///   - `UserModule(const Options&, const std::vector<int64_t>& in)`; in: sizes of the input,
///   without
///     the batch; weights are drawn here, from LibTorch's global generator,
///   - `at::Tensor forward(const at::Tensor&)`,
///   - optionally `static Shape infer(const Options&, const Shape& in)`; without it the module is
///     tried out, which asks for decided options.
template <class UserModule>
class ModuleKind final : public Primitive<typename UserModule::Options> {
 public:
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
