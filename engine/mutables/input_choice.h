#pragma once

#include <torch/nn/pimpl.h>

#include <map>
#include <string>
#include <vector>

#include "retia/engine/mutables/mutable_module.h"
#include "retia/engine/mutables/reduction.h"

namespace retia {

struct Verdict;

/// The candidates of an input choice, how many are chosen, and how these are joined.
struct InputChoiceModuleOptions {
  int64_t n_candidates = 0;              ///< number of inputs of forward, ≥ 1; 0 with choose_from
  std::optional<int64_t> n_chosen = 1;   ///< none: any number, also zero
  Reduction reduction = Reduction::Sum;  ///< how the chosen inputs are joined
  std::string label = {};                ///< empty: the path of the module
  std::vector<std::string> names = {};   ///< names of the candidates; empty: "0", "1", …
  /// Per candidate, the label of the layer choice that makes it.
  std::vector<std::string> fed_by = {};
  /// Replaces n_candidates and names: per candidate, the label of a choice or the path of a module
  /// that the model registers before this one, or "" for a candidate without a name.
  std::vector<std::string> choose_from = {};
  /// ValueChoice: the input is selected by the value that the label decides.
  MutableKind kind = MutableKind::InputChoice;
};

/// A choice of some of several tensors, which are then joined, as the mutator decides.
class InputChoiceImpl final : public MutableModule {
 public:
  /// Makes the choice. Throws where the options contradict each other.
  explicit InputChoiceImpl(InputChoiceModuleOptions options);

  /// Returns the joined chosen inputs. `inputs`: one tensor per candidate; candidates that are not
  /// chosen may be undefined. Throws without a mutator, on a wrong number of inputs, and with
  /// Reduction::None.
  at::Tensor forward(at::TensorList inputs);

  /// Returns the chosen inputs as a list, multiplied by the mutator's weights if there are any; for
  /// Reduction::None.
  std::vector<at::Tensor> select(at::TensorList inputs);

  /// Returns the tensors of a map by candidate name in the order of the candidates, for forward and
  /// select. Every candidate must be in the map.
  std::vector<at::Tensor> ordered(const std::map<std::string, at::Tensor>& inputs) const;

  /// Returns the way in which the chosen inputs are joined.
  Reduction reduction() const { return reduction_; }

  /// The keys given in the options. A mutator throws on a model where a key names nothing
  /// registered before.
  const std::vector<std::string>& choose_from() const { return choose_from_; }

 private:
  void check(at::TensorList inputs) const;
  at::Tensor joined(const Verdict& verdict, at::TensorList inputs) const;
  Reduction reduction_;
  std::vector<std::string> choose_from_;
};
TORCH_MODULE(InputChoice);

/// Joins `tensors` by `reduction`: at least one tensor, of equal shapes except that Concat joins
/// along dimension 1.
at::Tensor reduce(Reduction reduction, at::TensorList tensors);

}  // namespace retia
