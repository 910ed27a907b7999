#include "mutators/strategies/random.h"

#include "engine/architecture_json.h"
#include "mutators/one_shot/random.h"
#include "mutators/strategies/enumeration.h"

namespace retia {

RandomStrategy::RandomStrategy(const ir::Space& space, const RandomOptions& options, uint64_t seed)
    : space_(space), mutables_(space.mutables()), options_(options), random_(seed) {
  TORCH_CHECK(options.tries >= 1, "strategy 'random': tries must be at least 1, got ",
              options.tries);
}

Strategy::Answer RandomStrategy::ask() {
  for (int64_t i = 0; i < options_.tries; ++i) {
    Architecture form = form_of(space_, sample_uniformly(mutables_, random_));
    if (options_.duplicates == Duplicates::Allow || proposed_.count(form) == 0) {
      return propose(std::move(form));
    }
  }
  std::vector<Architecture> rest = left_of(space_, proposed_);
  if (rest.empty()) {
    return Exhausted{};
  }
  const int64_t index = random_.below(static_cast<int64_t>(rest.size()));
  return propose(std::move(rest[static_cast<size_t>(index)]));
}

Proposal RandomStrategy::propose(Architecture architecture) {
  if (options_.duplicates == Duplicates::Skip) {
    proposed_.insert(architecture);
  }
  return {.id = n_proposed_++, .architecture = std::move(architecture)};
}

Json RandomStrategy::state() const {
  Json proposed = Json::array();
  for (const Architecture& architecture : proposed_) {
    proposed.push_back(choices_to_json(architecture, mutables_));
  }
  return {{"random", random_.state()}, {"proposed", proposed}, {"n_proposed", n_proposed_}};
}

void RandomStrategy::load_state(const Json& state) {
  std::set<Architecture> proposed;
  for (const Json& choices : state.at("proposed")) {
    proposed.insert(choices_from_json(choices, mutables_));
  }
  random_.set_state(state.at("random"));
  proposed_ = std::move(proposed);
  n_proposed_ = state.at("n_proposed");
}

}  // namespace retia
