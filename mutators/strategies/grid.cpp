#include "mutators/strategies/grid.h"

namespace retia {

GridStrategy::GridStrategy(const ir::Space& space) : enumeration_(space) {}

Strategy::Answer GridStrategy::ask() {
  std::optional<Architecture> architecture = enumeration_.next();
  if (!architecture) {
    return Exhausted{};
  }
  return Proposal{.id = n_proposed_++, .architecture = std::move(*architecture)};
}

Json GridStrategy::state() const {
  return {{"position", enumeration_.state()}, {"n_proposed", n_proposed_}};
}

void GridStrategy::load_state(const Json& state) {
  enumeration_.load_state(state.at("position"));
  n_proposed_ = state.at("n_proposed");
}

}  // namespace retia
