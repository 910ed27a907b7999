#include "retia/strategies/evolution.h"

namespace retia {
EvolutionStrategy::EvolutionStrategy(const Domain& domain, const EvolutionOptions& options,
                                     uint64_t seed)
    : proposals_(domain, {options.duplicates, options.tries}), options_(options), random_(seed) {
  check_declared(options, "strategy 'evolution'");
  TORCH_CHECK(options.sample <= options.population,
              "strategy 'evolution': sample must be at most population, got ", options.sample,
              " and ", options.population);
}

Strategy::Answer EvolutionStrategy::ask() {
  const auto size = static_cast<int64_t>(population_.size());
  const bool founding = size + n_pending_ < options_.population;
  if (!founding && size == 0) {
    return Wait{};
  }
  std::optional<Proposal> proposal =
      founding ? proposals_.any(random_) : proposals_.next(random_, [&] { return child(); });
  n_pending_ += proposal ? 1 : 0;
  return answer(std::move(proposal));
}

void EvolutionStrategy::tell(const Proposal& proposal, const Outcome& outcome) {
  --n_pending_;
  learn(proposal.architecture, outcome);
}

void EvolutionStrategy::learn(const Architecture& architecture, const Outcome& outcome) {
  const std::optional<double> reward = reward_of(outcome, options_.on_failure);
  if (!reward) {
    return;
  }
  population_.push_back({architecture, *reward});
  if (population_.size() > static_cast<size_t>(options_.population)) {
    population_.pop_front();
  }
}

Architecture EvolutionStrategy::child() {
  const Domain& domain = proposals_.domain();
  const Architecture& parent = winner();
  return domain.mutated(options_.crossover ? domain.crossed(parent, winner(), random_) : parent,
                        options_.mutation_probability, random_);
}

const Architecture& EvolutionStrategy::winner() {
  const auto size = static_cast<int64_t>(population_.size());
  const Member* best = nullptr;
  for (const int64_t i : random_.choose(std::min(options_.sample, size), size)) {
    const Member& member = population_[static_cast<size_t>(i)];
    if (best == nullptr || member.reward > best->reward) {
      best = &member;
    }
  }
  return best->architecture;
}

Json EvolutionStrategy::state() const {
  Json population = Json::array();
  for (const Member& member : population_) {
    population.push_back({{"choices", proposals_.domain().to_json(member.architecture)},
                          {"reward", reward_to_json(member.reward)}});
  }
  return {{"random", random_.state()},
          {"proposals", proposals_.state()},
          {"population", population},
          {"n_pending", n_pending_}};
}

void EvolutionStrategy::load_state(const Json& state) {
  random_.set_state(state.at("random"));
  proposals_.load_state(state.at("proposals"));
  population_.clear();
  for (const Json& member : state.at("population")) {
    population_.push_back({proposals_.domain().from_json(member.at("choices")),
                           reward_from_json(member.at("reward"))});
  }
  n_pending_ = state.at("n_pending");
}

}  // namespace retia
