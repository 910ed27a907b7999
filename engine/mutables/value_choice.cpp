#include "retia/engine/mutables/value_choice.h"

#include <ATen/ops/ones.h>
#include <ATen/ops/outer.h>

namespace retia {
namespace {

constexpr size_t kMostOptions = 4096;
// Ends each choice's part of a key; no index is negative.
constexpr int64_t kEndOfChoice = -1;

}  // namespace

ValueChoiceModule::ValueChoiceModule(std::string label, std::vector<std::string> names)
    : MutableModule({.label = std::move(label),
                     .kind = MutableKind::ValueChoice,
                     .names = std::move(names)}) {}

const Verdict& ValueChoiceModule::verdict() const {
  const Verdict* verdict = mutator().verdict(info());
  TORCH_CHECK(verdict != nullptr && !verdict->chosen.empty() && !verdict->gates.defined(),
              "value choice '", info().label,
              "' needs a mutator that tells which value it has chosen: override verdict()");
  return *verdict;
}

ValueChoices choices_of(const std::set<std::string>& labels, const ValueChoices& all) {
  ValueChoices result;
  for (const std::string& label : labels) {
    const auto found = all.find(label);
    TORCH_CHECK(found != all.end(), "there is no value choice '", label, "' to follow");
    result.insert(*found);
  }
  return result;
}

std::vector<int64_t> chosen_by(const ValueChoices& choices) {
  std::vector<int64_t> key;
  for (const auto& [label, choice] : choices) {
    const std::vector<int64_t>& chosen = choice->verdict().chosen;
    key.insert(key.end(), chosen.begin(), chosen.end());
    key.push_back(kEndOfChoice);
  }
  return key;
}

std::vector<Architecture> joint_options(const ValueChoices& choices) {
  std::vector<Architecture> options = {{}};
  for (const auto& [label, choice] : choices) {
    const std::vector<int64_t>& chosen = choice->verdict().chosen;
    TORCH_CHECK(options.size() * chosen.size() <= kMostOptions, "value choice '", label,
                "' is blended jointly with others in more than ", kMostOptions,
                " ways: let fewer choices decide one size, or use an algorithm that samples paths");
    std::vector<Architecture> longer;
    for (const Architecture& option : options) {
      for (const int64_t index : chosen) {
        longer.push_back(option);
        longer.back()[label] = {{index}};
      }
    }
    options = std::move(longer);
  }
  return options;
}

at::Tensor joint_weights(const ValueChoices& choices, const at::TensorOptions& like) {
  at::Tensor joint;
  for (const auto& [label, choice] : choices) {
    const Verdict& verdict = choice->verdict();
    at::Tensor weights = verdict.weights;
    if (!weights.defined()) {
      if (verdict.chosen.size() == 1) {
        continue;
      }
      weights = at::ones({static_cast<int64_t>(verdict.chosen.size())}, like);
    }
    joint = joint.defined() ? at::outer(joint, weights).flatten() : weights;
  }
  return joint;
}

}  // namespace retia
