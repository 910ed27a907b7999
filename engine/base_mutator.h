#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <memory>
#include <optional>
#include <vector>

#include "engine/mutable.h"

namespace retia {

class InputChoiceImpl;
class LayerChoiceImpl;
class MutableModule;

/// Decides what the choices of one model do at every forward pass. Bound to that model for its
/// whole life; the model is free again when the mutator is destroyed. Inherit from it directly to
/// manipulate execution as you like; from Mutator to decide by architectures.
class BaseMutator : public torch::nn::Module {
 public:
  /// Binds the choices in `model`. Throws when another mutator drives one of them, and when choices
  /// of one label differ.
  explicit BaseMutator(const torch::nn::Module& model);
  ~BaseMutator() override;
  BaseMutator(const BaseMutator&) = delete;
  BaseMutator& operator=(const BaseMutator&) = delete;

  /// One per label, in the order of the model's modules.
  const std::vector<Mutable>& mutables() const { return mutables_; }

  /// The mutable of that label. Throws, naming the nearest, when there is none.
  const Mutable& mutable_of(const std::string& label) const;

  /// Decides anew; what it decides holds until the next reset.
  virtual void reset() = 0;

  /// What a choice makes of its inputs.
  virtual at::Tensor on_forward_layer_choice(LayerChoiceImpl& choice, at::TensorList inputs) = 0;
  virtual at::Tensor on_forward_input_choice(InputChoiceImpl& choice, at::TensorList inputs) = 0;

  /// What an input choice of reduction none hands out. Throws unless overridden.
  virtual std::vector<at::Tensor> on_select_inputs(InputChoiceImpl& choice, at::TensorList inputs);

  /// Which candidates of `label` the next forward pass needs; none: it cannot be told, and all that
  /// feeds the choice is computed.
  virtual const Decision* needed(const std::string& label) const;

  /// Called by a network around each of its forward passes.
  virtual void begin_forward() {}
  virtual void end_forward() {}

 private:
  struct Binding {
    std::shared_ptr<MutableModule> choice;
    Mutable info;  // while the mutator lives: what the choice said before
  };
  std::vector<Binding> bound_;
  std::vector<Mutable> mutables_;
};

}  // namespace retia
