#pragma once

#include <memory>
#include <vector>

#include "engine/operations/batch_norm.h"

namespace retia {

/// While it lives, passes in training mode leave the running statistics of all batch normalisations
/// in `model` as they are.
class [[nodiscard]] QuietPass {
 public:
  explicit QuietPass(torch::nn::Module& model);
  ~QuietPass();
  QuietPass(const QuietPass&) = delete;
  QuietPass& operator=(const QuietPass&) = delete;

 private:
  std::vector<std::shared_ptr<BatchNormLayer>> norms_;
};

}  // namespace retia
