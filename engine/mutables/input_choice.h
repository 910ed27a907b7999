#pragma once

#include <torch/nn/pimpl.h>

#include <map>
#include <string>
#include <vector>

#include "engine/ir/graph.h"
#include "engine/mutables/mutable_module.h"

namespace retia {

using ir::Reduction;

struct InputChoiceModuleOptions {
  int64_t n_candidates = 0;
  std::optional<int64_t> n_chosen = 1;  ///< none: any number, also zero
  Reduction reduction = Reduction::Sum;
  std::string label = {};                ///< empty: the path of the module
  std::vector<std::string> names = {};   ///< of the candidates; empty: "0", "1", …
  std::vector<std::string> fed_by = {};  ///< per candidate the label of the layer choice before it
  /// In place of n_candidates and names: per candidate the label of a choice, or the path of a
  /// module, that the model registers before this one, or "" for a candidate that has no name.
  std::vector<std::string> choose_from = {};
  /// ValueChoice: the value that the label decides selects the input.
  MutableKind kind = MutableKind::InputChoice;
};

/// Some of several tensors, joined, as the mutator decides.
class InputChoiceImpl final : public MutableModule {
 public:
  explicit InputChoiceImpl(InputChoiceModuleOptions options);

  /// inputs: one tensor per candidate; those that are not chosen may be undefined. Returns what the
  /// mutator makes of them. Throws without a mutator, on a wrong count, and with reduction none.
  at::Tensor forward(at::TensorList inputs);

  /// The chosen tensors themselves, weighted where the mutator weights: for reduction none.
  std::vector<at::Tensor> select(at::TensorList inputs);

  /// Tensors by the names of the candidates, which all must be there, in their order: for forward
  /// and select.
  std::vector<at::Tensor> ordered(const std::map<std::string, at::Tensor>& inputs) const;

  Reduction reduction() const { return reduction_; }

  /// The keys of its options. A mutator refuses a model where one of them names nothing before.
  const std::vector<std::string>& choose_from() const { return choose_from_; }

 private:
  void check(at::TensorList inputs) const;
  Reduction reduction_;
  std::vector<std::string> choose_from_;
};
TORCH_MODULE(InputChoice);

/// `tensors` joined; at least one, of equal shape (but for concat, along dimension 1).
at::Tensor reduce(Reduction reduction, at::TensorList tensors);

}  // namespace retia
