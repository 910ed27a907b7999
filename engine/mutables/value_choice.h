#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "retia/engine/mutables/base_mutator.h"
#include "retia/engine/mutables/mutable_module.h"

namespace retia {

/// The decision of one value-choice label, read in every pass by the layers whose sizes depend on
/// it. It is a module so that a mutator can bind it like other choices.
class ValueChoiceModule final : public MutableModule {
 public:
  /// `names`: the values as text.
  ValueChoiceModule(std::string label, std::vector<std::string> names);

  /// Returns the decision of this pass. Throws without a mutator, and where the mutator cannot tell
  /// a decision or has chosen nothing.
  const Verdict& verdict() const;
};

/// Label → choice.
using ValueChoices = std::map<std::string, std::shared_ptr<const ValueChoiceModule>>;

/// Returns the choices of `labels`, taken from `all`. Throws where one is missing.
ValueChoices choices_of(const std::set<std::string>& labels, const ValueChoices& all);

/// Returns the chosen indices of all `choices` as a key: passes with equal keys read the same parts
/// of all weights.
std::vector<int64_t> chosen_by(const ValueChoices& choices);

/// Returns every joint decision of the chosen values, with the last label varying fastest; a single
/// one where each choice has chosen one value.
std::vector<Architecture> joint_options(const ValueChoices& choices);

/// Returns the weight of each joint option, `[n options]`: the product of the weights of its
/// values, with the dtype and device of `like`. Undefined where there is a single option without
/// weights.
at::Tensor joint_weights(const ValueChoices& choices, const at::TensorOptions& like);

}  // namespace retia
