#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/mutable.h"

namespace retia {

class InputChoiceImpl;
class LayerChoiceImpl;
class MutableModule;

/// What a choice does in the pass that runs: which candidates, and how they are blended.
struct Verdict {
  std::vector<int64_t> chosen;
  at::Tensor weights;  ///< `[n chosen]`; undefined: plain selection (several are summed)
};

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

  /// What `choice` is to do, for plans that run it without asking on_forward_*; valid until the
  /// next call for its label. Null: it cannot be told, so on_forward_* is asked, with all inputs
  /// computed.
  virtual const Verdict* verdict(const Mutable& choice);

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
  std::map<std::string, size_t> positions_;  // of labels in mutables_
};

}  // namespace retia
