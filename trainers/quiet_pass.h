#pragma once

#include <memory>
#include <vector>

#include "engine/executor/network.h"
#include "engine/operations/batch_norm.h"
#include "engine/precision.h"

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

/// While it lives, `network` computes in what its weights are.
class [[nodiscard]] FullPrecision {
 public:
  explicit FullPrecision(NetworkImpl& network) : network_(network), was_(network.precision()) {
    network.set_precision(stored_in(was_));
  }
  ~FullPrecision() { network_.set_precision(was_); }
  FullPrecision(const FullPrecision&) = delete;
  FullPrecision& operator=(const FullPrecision&) = delete;

 private:
  NetworkImpl& network_;
  at::ScalarType was_;
};

}  // namespace retia
