#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/base_mutator.h"
#include "engine/mutables/mutable_module.h"

namespace retia {

/// One label's decision between values, which the layers whose sizes depend on it ask in every
/// pass. A module, so that a mutator binds it as it binds other choices.
class ValueChoiceModule final : public MutableModule {
 public:
  /// names: the values as text.
  ValueChoiceModule(std::string label, std::vector<std::string> names);

  /// Throws without a mutator, and where the mutator cannot tell or has chosen nothing.
  const Verdict& verdict() const;
};

/// By label.
using ValueChoices = std::map<std::string, std::shared_ptr<const ValueChoiceModule>>;

/// Those of `labels`. Throws where one is missing.
ValueChoices choices_of(const std::set<std::string>& labels, const ValueChoices& all);

/// What `choices` have chosen: equal for passes that read the same parts of all weights.
std::vector<int64_t> chosen_by(const ValueChoices& choices);

/// Every joint decision of what `choices` have chosen, the last label fastest; one where each has
/// chosen one value.
std::vector<Architecture> joint_options(const ValueChoices& choices);

/// The weight of each joint option, the product of its values' weights, `[n options]`, made like
/// `like`; undefined for one option that nothing weighs.
at::Tensor joint_weights(const ValueChoices& choices, const at::TensorOptions& like);

}  // namespace retia
