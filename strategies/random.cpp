#include "retia/strategies/random.h"

namespace retia {

RandomStrategy::RandomStrategy(const Domain& domain, const RandomOptions& options, uint64_t seed)
    : proposals_(domain, {options.duplicates, options.tries}), random_(seed) {
  check_declared(options, "strategy 'random'");
}

Strategy::Answer RandomStrategy::ask() { return answer(proposals_.any(random_)); }

Json RandomStrategy::state() const {
  return {{"random", random_.state()}, {"proposals", proposals_.state()}};
}

void RandomStrategy::load_state(const Json& state) {
  random_.set_state(state.at("random"));
  proposals_.load_state(state.at("proposals"));
}

}  // namespace retia
