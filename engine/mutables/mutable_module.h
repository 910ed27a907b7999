#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <optional>

#include "engine/mutable.h"

namespace retia {

class BaseMutator;

/// A module that asks its mutator what to do at every forward pass: the part that layer and input
/// choices share.
class MutableModule : public torch::nn::Module {
 public:
  /// What it decides, with an empty label filled in while a mutator is bound.
  const Mutable& info() const { return info_; }

  /// The mutator that drives it. Throws when there is none.
  BaseMutator& mutator() const;

  /// A copy would be driven by nobody and share nothing: always throws.
  std::shared_ptr<torch::nn::Module> clone(
      const std::optional<torch::Device>& device = std::nullopt) const final;

 protected:
  explicit MutableModule(Mutable info) : info_(std::move(info)) {}

 private:
  friend class BaseMutator;
  Mutable info_;
  BaseMutator* mutator_ = nullptr;
};

}  // namespace retia
