#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "retia/engine/executor/network.h"
#include "retia/engine/operations/module.h"
#include "retia/engine/operations/table.h"

namespace retia {

struct HookOptions {
  Dim scale = 1;  ///< what the input is multiplied by
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(HookOptions, scale)

/// A module of the user's that counts its calls and shows what comes in.
class Hook : public torch::nn::Module {
 public:
  using Options = HookOptions;
  Hook(const HookOptions& options, const std::vector<int64_t>&) : scale_(options.scale.value()) {}

  static Shape infer(const HookOptions&, const Shape& input) { return input; }

  at::Tensor forward(const at::Tensor& x) {
    ++n_calls;
    if (seen) {
      seen(x);
    }
    return x * scale_;
  }

  int64_t n_calls = 0;
  std::function<void(const at::Tensor&)> seen;

 private:
  int64_t scale_;
};

inline OperationTable operations_with_hook() {
  OperationTable table = standard_operations();
  table.add<Hook>("hook");
  return table;
}

inline ir::Operation hook(int64_t scale = 1) {
  return operations_with_hook().make("hook", {{"scale", scale}});
}

/// The hook at the node `path` of `network`.
inline Hook& hook_at(const Network& network, const std::string& path) {
  return dynamic_cast<Hook&>(*network->named_modules()[path + ".module"]);
}

}  // namespace retia
