#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <optional>

#include "retia/engine/mutables/mutable.h"

namespace retia {

class BaseMutator;

/// The base of layer, input and value choices: a module that asks its mutator for a decision at
/// every forward pass.
class MutableModule : public torch::nn::Module {
 public:
  /// The description of this choice; while a mutator is bound, an empty label is filled in.
  const Mutable& info() const { return info_; }

  /// Returns the mutator that drives this choice. Throws when there is none.
  BaseMutator& mutator() const;

  /// Always throws: a copy would have no mutator and share no decisions.
  std::shared_ptr<torch::nn::Module> clone(
      const std::optional<torch::Device>& device = std::nullopt) const final;

 protected:
  /// Makes a choice without a mutator. `info`: its description; an empty label becomes its path.
  explicit MutableModule(Mutable info) : info_(std::move(info)) {}

 private:
  friend class BaseMutator;
  Mutable info_;
  BaseMutator* mutator_ = nullptr;
};

}  // namespace retia
