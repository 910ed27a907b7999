#pragma once

#include <torch/nn/pimpl.h>

#include <string>
#include <vector>

#include "engine/json.h"
#include "engine/mutables/mutable_module.h"

namespace retia {

/// One of several values, as the mutator decides: a value choice for modules that read it in their
/// forward pass.
class ChosenValueImpl final : public MutableModule {
 public:
  /// values: numbers, bools or texts, at least one, all different. label: choices of one label
  /// share their decision; empty: the path of the module.
  explicit ChosenValueImpl(std::vector<Json> values, std::string label = "");

  /// The value that holds in this pass. Throws without a mutator, and under one that blends
  /// several, which only choices of layers and inputs can be.
  const Json& value() const;

  int64_t as_int() const { return value().get<int64_t>(); }
  double as_double() const { return value().get<double>(); }

 private:
  std::vector<Json> values_;
};
TORCH_MODULE(ChosenValue);

}  // namespace retia
