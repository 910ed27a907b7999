#include "retia/strategies/enumeration.h"

#include "retia/engine/mutables/combinations.h"

namespace retia {
namespace {

/// Advances `chosen` to the next decision of `choice`, over all sets that it may choose.
bool next_decision(std::vector<int64_t>& chosen, const Mutable& choice) {
  if (next_set(chosen, choice.n_candidates())) {
    return true;
  }
  const auto larger = static_cast<int64_t>(chosen.size()) + 1;
  if (choice.n_chosen || larger > choice.n_candidates()) {
    return false;
  }
  chosen = first_set(larger);
  return true;
}

}  // namespace

Enumeration::Enumeration(Domain domain) : domain_(std::move(domain)), position_(Architecture()) {
  for (const Mutable& choice : domain_.mutables()) {
    (*position_)[choice.label] = first_candidates(choice);
  }
}

// What nothing reaches changes nothing. So the positions where it has its first decision, and all
// else is as in the form, stand for all others of that form, and the next form differs in a label
// that is reached.
std::optional<Architecture> Enumeration::next() {
  const std::vector<Mutable>& mutables = domain_.mutables();
  while (position_) {
    Architecture form = domain_.form(*position_);
    bool stands_for_its_form = true;
    int64_t last_reached = -1;
    for (size_t i = 0; i < mutables.size(); ++i) {
      const Mutable& choice = mutables[i];
      const bool is_reached = form.contains(choice.label);
      if (is_reached) {
        last_reached = static_cast<int64_t>(i);
      }
      const Decision stands = is_reached ? form.at(choice.label) : first_candidates(choice);
      stands_for_its_form = stands_for_its_form && position_->at(choice.label) == stands;
    }
    advance(last_reached);
    if (stands_for_its_form) {
      return form;
    }
  }
  return std::nullopt;
}

void Enumeration::advance(int64_t last) {
  const std::vector<Mutable>& mutables = domain_.mutables();
  for (int64_t i = last; i >= 0; --i) {
    const Mutable& moved = mutables[static_cast<size_t>(i)];
    if (!next_decision((*position_)[moved.label].chosen, moved)) {
      continue;
    }
    for (size_t j = static_cast<size_t>(i) + 1; j < mutables.size(); ++j) {
      (*position_)[mutables[j].label] = first_candidates(mutables[j]);
    }
    return;
  }
  position_.reset();
}

Json Enumeration::state() const { return position_ ? domain_.to_json(*position_) : Json(); }

void Enumeration::load_state(const Json& state) {
  if (state.is_null()) {
    position_.reset();
    return;
  }
  Architecture position = domain_.from_json(state);
  check_architecture(position, domain_.mutables(), Purpose::Final);
  position_ = std::move(position);
}

}  // namespace retia
