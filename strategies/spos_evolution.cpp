#include "retia/strategies/spos_evolution.h"

#include <algorithm>

namespace retia {
namespace {

constexpr int64_t kTries = 10;  // for each architecture that a round wants

}  // namespace

SposEvolutionStrategy::SposEvolutionStrategy(const Domain& domain,
                                             const SposEvolutionOptions& options, uint64_t seed)
    : proposals_(domain, {.tries = kTries}), options_(options), random_(seed) {
  check_declared(options, "strategy 'spos_evolution'");
}

Strategy::Answer SposEvolutionStrategy::ask() {
  if (next_ == round_.size()) {
    if (n_told_ < proposals_.n_asked()) {
      return Wait{};
    }
    if (n_rounds_ == options_.rounds || !breed()) {
      return Exhausted{};
    }
  }
  return round_[next_++];
}

void SposEvolutionStrategy::tell(const Proposal& proposal, const Outcome& outcome) {
  ++n_told_;
  learn(proposal.architecture, outcome);
}

void SposEvolutionStrategy::learn(const Architecture& architecture, const Outcome& outcome) {
  if (outcome.status != TrialStatus::Succeeded) {
    return;
  }
  const double fitness = outcome.objectives.front();
  const auto better_than = std::find_if(parents_.begin(), parents_.end(),
                                        [&](const Parent& p) { return p.fitness < fitness; });
  parents_.insert(better_than, {fitness, architecture});
  if (parents_.size() > static_cast<size_t>(options_.parents)) {
    parents_.pop_back();
  }
}

bool SposEvolutionStrategy::breed() {
  ++n_rounds_;
  round_.clear();
  next_ = 0;
  const auto size = [&] { return static_cast<int64_t>(round_.size()); };
  const auto add = [&](int64_t wanted, const auto& make) {
    const int64_t goal = std::min(size() + wanted, options_.population);
    for (int64_t tries = kTries * wanted; tries > 0 && size() < goal; --tries) {
      if (std::optional<Proposal> child = proposals_.offer(make())) {
        round_.push_back(std::move(*child));
      }
    }
  };
  if (!parents_.empty()) {
    const Domain& domain = proposals_.domain();
    add(options_.crossovers, [&] {
      const Architecture& first = any_parent();
      return domain.crossed(first, any_parent(), random_);
    });
    add(options_.mutations,
        [&] { return domain.mutated(any_parent(), options_.mutation_probability, random_); });
  }
  while (size() < options_.population) {
    std::optional<Proposal> other = proposals_.any(random_);
    if (!other) {
      break;
    }
    round_.push_back(std::move(*other));
  }
  return !round_.empty();
}

const Architecture& SposEvolutionStrategy::any_parent() {
  return parents_[static_cast<size_t>(random_.below(static_cast<int64_t>(parents_.size())))]
      .architecture;
}

Json SposEvolutionStrategy::state() const {
  const Domain& domain = proposals_.domain();
  Json parents = Json::array(), round = Json::array();
  for (const Parent& parent : parents_) {
    parents.push_back(
        {{"fitness", parent.fitness}, {"choices", domain.to_json(parent.architecture)}});
  }
  for (const Proposal& proposal : round_) {
    round.push_back({{"id", proposal.id}, {"choices", domain.to_json(proposal.architecture)}});
  }
  return {{"random", random_.state()},
          {"proposals", proposals_.state()},
          {"parents", parents},
          {"round", round},
          {"next", next_},
          {"n_told", n_told_},
          {"n_rounds", n_rounds_}};
}

void SposEvolutionStrategy::load_state(const Json& state) {
  const Domain& domain = proposals_.domain();
  random_.set_state(state.at("random"));
  proposals_.load_state(state.at("proposals"));
  parents_.clear();
  for (const Json& parent : state.at("parents")) {
    parents_.push_back({parent.at("fitness"), domain.from_json(parent.at("choices"))});
  }
  round_.clear();
  for (const Json& proposal : state.at("round")) {
    round_.push_back(
        {.id = proposal.at("id"), .architecture = domain.from_json(proposal.at("choices"))});
  }
  next_ = state.at("next");
  n_told_ = state.at("n_told");
  n_rounds_ = state.at("n_rounds");
}

}  // namespace retia
