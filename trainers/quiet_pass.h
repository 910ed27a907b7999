#pragma once

#include <memory>
#include <vector>

#include "retia/engine/base/precision.h"
#include "retia/engine/executor/network.h"
#include "retia/engine/operations/batch_norm.h"

namespace retia {

/// Keeps the running statistics of all batch normalisations in `model` unchanged by forward passes
/// in training mode, for as long as the object lives.
class [[nodiscard]] QuietPass {
 public:
  /// Stops the updates of running statistics in `model`.
  explicit QuietPass(torch::nn::Module& model);
  ~QuietPass();
  QuietPass(const QuietPass&) = delete;
  QuietPass& operator=(const QuietPass&) = delete;

 private:
  std::vector<std::shared_ptr<BatchNormLayer>> norms_;
};

/// Makes `network` compute in the dtype of its weights, i.e. without autocast, for as long as the
/// object lives.
class [[nodiscard]] FullPrecision {
 public:
  /// `network` must outlive this object.
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
