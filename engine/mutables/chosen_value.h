#pragma once

#include <torch/nn/pimpl.h>

#include <string>
#include <vector>

#include "retia/engine/base/json.h"
#include "retia/engine/mutables/mutable_module.h"

namespace retia {

/// A value choice as a module: one of several values, decided by the mutator and read by other
/// modules in their forward pass.
class ChosenValueImpl final : public MutableModule {
 public:
  /// `values`: numbers, bools or texts, at least one, all different. `label`: choices of one label
  /// share their decision; empty: the path of the module.
  explicit ChosenValueImpl(std::vector<Json> values, std::string label = "");

  /// Returns the value chosen in this pass. Throws without a mutator, and under a mutator that
  /// blends several values, which is possible for layer and input choices only.
  const Json& value() const;

  /// Returns the value chosen in this pass without its fraction. Throws where it is no number.
  int64_t as_int() const { return value().get<int64_t>(); }
  /// Returns the value chosen in this pass as a double. Throws where it is no number.
  double as_double() const { return value().get<double>(); }

 private:
  std::vector<Json> values_;
};
TORCH_MODULE(ChosenValue);

}  // namespace retia
