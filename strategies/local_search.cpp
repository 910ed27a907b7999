#include "retia/strategies/local_search.h"

namespace retia {
LocalSearchStrategy::LocalSearchStrategy(const Domain& domain, const LocalSearchOptions& options,
                                         uint64_t seed)
    : proposals_(domain, {.tries = options.tries}),
      factors_(domain.mutables()),
      options_(options),
      random_(seed) {
  check_declared(options, "strategy 'local_search'");
}

Strategy::Answer LocalSearchStrategy::ask() {
  while (true) {
    if (n_starts_ < options_.starts) {
      std::optional<Proposal> start = proposals_.any(random_);
      if (!start) {
        return Exhausted{};
      }
      ++n_starts_;
      ++n_pending_;
      return std::move(*start);
    }
    while (next_ < neighbours_.size()) {
      if (std::optional<Proposal> neighbour = proposals_.offer(neighbours_[next_++])) {
        ++n_pending_;
        return std::move(*neighbour);
      }
    }
    if (n_pending_ > 0) {
      return Wait{};
    }
    if (place_ && !climbing_) {
      climbing_ = true;
      stand_on(std::move(*place_));
    } else if (!step_to_known()) {
      begin_again();
    }
  }
}

void LocalSearchStrategy::tell(const Proposal& proposal, const Outcome& outcome) {
  --n_pending_;
  learn(proposal.architecture, outcome);
}

void LocalSearchStrategy::learn(const Architecture& architecture, const Outcome& outcome) {
  const std::optional<double> reward = reward_of(outcome, OnFailure::Ignore);
  if (!reward) {
    return;
  }
  rewards_[architecture.hash()] = *reward;
  if (!climbing_ && (!place_ || *reward > place_->reward)) {
    place_ = {architecture, *reward};
  } else if (climbing_ && options_.step == Improvement::First && *reward > place_->reward) {
    stand_on({architecture, *reward});
  }
}

void LocalSearchStrategy::begin_again() {
  place_.reset();
  neighbours_.clear();
  next_ = 0;
  n_starts_ = 0;
  climbing_ = false;
}

void LocalSearchStrategy::stand_on(Place place) {
  std::vector<Architecture> around = neighbours(place.architecture);
  place_ = std::move(place);
  neighbours_.clear();
  for (const int64_t i : random_.permutation(static_cast<int64_t>(around.size()))) {
    neighbours_.push_back(std::move(around[static_cast<size_t>(i)]));
  }
  next_ = 0;
}

/// Moves to the best neighbour whose score is known, if it is better than the current place.
bool LocalSearchStrategy::step_to_known() {
  const Architecture* best = nullptr;
  double reward = place_ ? place_->reward : 0;  // no place: no neighbours
  for (const Architecture& neighbour : neighbours_) {
    const auto known = rewards_.find(neighbour.hash());
    if (known != rewards_.end() && known->second > reward) {
      best = &neighbour;
      reward = known->second;
    }
  }
  if (best == nullptr) {
    return false;
  }
  stand_on({*best, reward});
  return true;
}

std::vector<Architecture> LocalSearchStrategy::neighbours(const Architecture& architecture) const {
  const Domain& domain = proposals_.domain();
  const Categories here = factors_.categories(architecture);
  std::vector<Architecture> found;
  for (size_t f = 0; f < here.size(); ++f) {
    for (int64_t category = 0; here[f] && category < factors_.list()[f].n; ++category) {
      if (category == *here[f]) {
        continue;
      }
      Categories there = here;
      there[f] = category;
      // What the step reaches for the first time has its first candidates.
      for (auto& other : there) {
        other = other.value_or(0);
      }
      found.push_back(domain.form(factors_.architecture(there)));
    }
  }
  return found;
}

Json LocalSearchStrategy::state() const {
  const Domain& domain = proposals_.domain();
  Json rewards = Json::array(), neighbours = Json::array(), place;
  for (const auto& [hash, reward] : std::map(rewards_.begin(), rewards_.end())) {
    rewards.push_back({hash, reward});
  }
  for (const Architecture& architecture : neighbours_) {
    neighbours.push_back(domain.to_json(architecture));
  }
  if (place_) {
    place = {{"choices", domain.to_json(place_->architecture)}, {"reward", place_->reward}};
  }
  return {{"random", random_.state()}, {"proposals", proposals_.state()},
          {"rewards", rewards},        {"place", place},
          {"neighbours", neighbours},  {"next", next_},
          {"climbing", climbing_},     {"n_starts", n_starts_},
          {"n_pending", n_pending_}};
}

void LocalSearchStrategy::load_state(const Json& state) {
  const Domain& domain = proposals_.domain();
  random_.set_state(state.at("random"));
  proposals_.load_state(state.at("proposals"));
  rewards_.clear();
  for (const Json& known : state.at("rewards")) {
    rewards_[known.at(0)] = known.at(1);
  }
  place_.reset();
  if (const Json& place = state.at("place"); !place.is_null()) {
    place_ = {domain.from_json(place.at("choices")), place.at("reward")};
  }
  neighbours_.clear();
  for (const Json& choices : state.at("neighbours")) {
    neighbours_.push_back(domain.from_json(choices));
  }
  next_ = state.at("next");
  climbing_ = state.at("climbing");
  n_starts_ = state.at("n_starts");
  n_pending_ = state.at("n_pending");
}

}  // namespace retia
