#pragma once

#include <torch/nn/pimpl.h>

#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "retia/engine/mutables/layer.h"
#include "retia/engine/mutables/mutable_module.h"

namespace retia {

struct Verdict;

/// A candidate of a layer choice: a name and a module, e.g. `{"conv", torch::nn::Conv2d(…)}`.
struct NamedCandidate {
  /// Computes the output of a candidate from the inputs of the choice.
  using Run = std::function<at::Tensor(at::TensorList)>;

  /// Makes a candidate from a torch module holder whose forward takes one tensor, or a list of
  /// tensors for a Layer or another choice.
  template <class Impl>
  NamedCandidate(std::string candidate_name, torch::nn::ModuleHolder<Impl> holder)
      : name(std::move(candidate_name)), module(holder.ptr()) {
    if constexpr (std::is_base_of_v<Layer, Impl>) {
      always_zero = holder->always_zero();
    }
    if constexpr (std::is_base_of_v<Layer, Impl> || std::is_base_of_v<MutableModule, Impl>) {
      run = [impl = holder.ptr()](at::TensorList inputs) { return impl->forward(inputs); };
    } else {
      run = [impl = holder.ptr()](at::TensorList inputs) { return impl->forward(inputs[0]); };
    }
  }

  /// Makes a candidate from a function over modules that are registered elsewhere. `zero`: the
  /// function always returns zeros.
  NamedCandidate(std::string candidate_name, Run candidate_run, bool zero)
      : name(std::move(candidate_name)), run(std::move(candidate_run)), always_zero(zero) {}

  std::string name;          ///< key in architectures, unique among the candidates
  Run run;                   ///< forward of the module, or the given function
  bool always_zero = false;  ///< whether the output is zero for all inputs; blends skip it
  std::shared_ptr<torch::nn::Module> module;  ///< null where the modules are registered elsewhere
};

/// A choice of one of several candidates on the same inputs, or a blend of several, as the mutator
/// decides.
class LayerChoiceImpl final : public MutableModule {
 public:
  /// `label`: choices of one label share their decision; empty: the path of the module.
  explicit LayerChoiceImpl(std::vector<NamedCandidate> candidates, std::string label = "");

  /// Returns the chosen candidate's output, or the blend, as the mutator's verdict says. `inputs`:
  /// the inputs of every candidate. Throws without a mutator.
  at::Tensor forward(at::TensorList inputs);

  /// Runs candidate `index` on `inputs`.
  at::Tensor run_candidate(int64_t index, at::TensorList inputs) const;

  /// Returns whether candidate `index` outputs zeros for all inputs.
  bool always_zero(int64_t index) const;

 private:
  at::Tensor blended(const Verdict& verdict, at::TensorList inputs) const;
  at::Tensor gated_path(const Verdict& verdict, at::TensorList inputs);

  std::vector<NamedCandidate> candidates_;
};
TORCH_MODULE(LayerChoice);

}  // namespace retia
