#pragma once

#include <ATen/core/Tensor.h>
#include <torch/nn/module.h>

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "retia/engine/mutables/mutable.h"

namespace retia {

class InputChoiceImpl;
class LayerChoiceImpl;
class MutableModule;

/// The behaviour of one choice in the current forward pass: the chosen candidates and how to blend
/// them. The choice's own module, or a fused instruction in its place, does what the verdict says.
struct Verdict {
  std::vector<int64_t> chosen;  ///< indices of candidates, ascending
  /// `[n chosen]`; undefined: unweighted, several chosen candidates are summed.
  at::Tensor weights = {};
  /// The elements of `weights`, one scalar per chosen candidate; empty where it is undefined.
  std::vector<at::Tensor> scalars = {};
  /// ProxylessNAS gates of a layer choice (see Mutator::gates); undefined: none.
  at::Tensor gates = {};
};

/// Decides what the choices of one model do at every forward pass. A mutator is bound to one model
/// for its whole life; its destructor frees the model for another mutator. Inherit from Mutator to
/// decide by architectures; inherit from BaseMutator directly to control execution itself.
class BaseMutator : public torch::nn::Module {
 public:
  /// Binds all choices in `model`. Throws when another mutator drives one of the choices, and when
  /// choices that share a label differ.
  explicit BaseMutator(const torch::nn::Module& model);
  ~BaseMutator() override;
  BaseMutator(const BaseMutator&) = delete;
  BaseMutator& operator=(const BaseMutator&) = delete;

  /// Returns one Mutable per label, in the order of the model's modules.
  const std::vector<Mutable>& mutables() const { return mutables_; }

  /// Returns the mutable of `label`. Throws, naming the nearest label, where there is none.
  const Mutable& mutable_of(const std::string& label) const;

  /// Takes new decisions, which hold until the next reset.
  virtual void reset() = 0;

  /// Returns what `choice` does in this pass; valid until the next call for the same label. Null:
  /// the mutator runs the choice itself in on_forward_* or on_select_inputs, with all inputs
  /// computed.
  virtual const Verdict* verdict(const Mutable& choice);

  /// Returns the output of a layer choice without a verdict. Throws unless overridden.
  virtual at::Tensor on_forward_layer_choice(LayerChoiceImpl& choice, at::TensorList inputs);
  /// Returns the joined inputs that an input choice without a verdict selects. Throws unless
  /// overridden.
  virtual at::Tensor on_forward_input_choice(InputChoiceImpl& choice, at::TensorList inputs);

  /// Returns the inputs that an input choice with Reduction::None and without a verdict selects.
  /// Throws unless overridden.
  virtual std::vector<at::Tensor> on_select_inputs(InputChoiceImpl& choice, at::TensorList inputs);

  /// Called by a network before each of its forward passes.
  virtual void begin_forward() {}
  /// Called by a network after each of its forward passes, also where the pass has thrown.
  virtual void end_forward() {}

 private:
  struct Binding {
    std::shared_ptr<MutableModule> choice;
    Mutable info;  // the choice's own description, as it was before the mutator completed it
  };
  std::vector<Binding> bound_;
  std::vector<Mutable> mutables_;
  std::map<std::string, size_t> positions_;  // label → index in mutables_
};

}  // namespace retia
