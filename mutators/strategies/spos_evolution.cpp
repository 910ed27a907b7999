#include "mutators/strategies/spos_evolution.h"

#include <algorithm>

#include "engine/architecture_json.h"
#include "mutators/one_shot/random.h"
#include "mutators/strategies/enumeration.h"

namespace retia {
namespace {

constexpr int64_t kTries = 10;  // for each architecture that a round wants

}  // namespace

SposEvolutionStrategy::SposEvolutionStrategy(const ir::Space& space,
                                             const SposEvolutionOptions& options, uint64_t seed,
                                             ir::Filter admits)
    : space_(space),
      mutables_(space.mutables()),
      options_(options),
      random_(seed),
      admits_(std::move(admits)) {
  const auto at_least = [](const char* name, int64_t value, int64_t least) {
    TORCH_CHECK(value >= least, "evolution: ", name, " must be at least ", least, ", got ", value);
  };
  at_least("population", options.population, 1);
  at_least("parents", options.parents, 1);
  at_least("crossovers", options.crossovers, 0);
  at_least("mutations", options.mutations, 0);
  at_least("rounds", options.rounds, 1);
  TORCH_CHECK(options.mutation_probability >= 0 && options.mutation_probability <= 1,
              "evolution: mutation_probability must be in 0 to 1, got ",
              options.mutation_probability);
}

Strategy::Answer SposEvolutionStrategy::ask() {
  if (next_ == round_.size()) {
    if (n_told_ < n_asked_) {
      return Wait{};
    }
    if (n_rounds_ == options_.rounds || !breed()) {
      return Exhausted{};
    }
  }
  return Proposal{.id = n_asked_++, .architecture = round_[next_++]};
}

void SposEvolutionStrategy::tell(const Proposal& proposal, const Outcome& outcome) {
  ++n_told_;
  if (outcome.status != TrialStatus::Succeeded) {
    return;
  }
  const double fitness = outcome.objectives.front();
  const auto better_than = std::find_if(parents_.begin(), parents_.end(),
                                        [&](const Parent& p) { return p.fitness < fitness; });
  parents_.insert(better_than, {fitness, proposal.architecture});
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
      join(make());
    }
  };
  if (!parents_.empty()) {
    add(options_.crossovers, [&] { return crossed(); });
    add(options_.mutations, [&] { return mutated(); });
  }
  add(options_.population - size(), [&] { return sample_uniformly(mutables_, random_); });
  if (size() < options_.population) {
    std::vector<Architecture> rest = left_of(space_, proposed_);
    for (const int64_t i : random_.permutation(static_cast<int64_t>(rest.size()))) {
      if (size() < options_.population) {
        join(rest[static_cast<size_t>(i)]);
      }
    }
  }
  return !round_.empty();
}

/// Adds what is admitted, and has not been proposed yet, to the round.
bool SposEvolutionStrategy::join(const Architecture& architecture) {
  Architecture form = form_of(space_, architecture);
  if ((admits_ && !admits_(form)) || !proposed_.insert(form).second) {
    return false;
  }
  round_.push_back(std::move(form));
  return true;
}

Architecture SposEvolutionStrategy::crossed() {
  const Architecture& a = any_parent();
  const Architecture& b = any_parent();
  // Drawn for the labels that neither of them reaches.
  Architecture child = sample_uniformly(mutables_, random_);
  for (const Mutable& choice : mutables_) {
    const bool first = random_.below(2) == 0;
    for (const Architecture* parent : {first ? &b : &a, first ? &a : &b}) {
      if (parent->contains(choice.label)) {
        child[choice.label] = parent->at(choice.label);
      }
    }
  }
  return child;
}

Architecture SposEvolutionStrategy::mutated() {
  const Architecture& parent = any_parent();
  Architecture child = sample_uniformly(mutables_, random_);
  for (const Mutable& choice : mutables_) {
    const bool kept = random_.uniform() >= options_.mutation_probability;
    if (kept && parent.contains(choice.label)) {
      child[choice.label] = parent.at(choice.label);
    }
  }
  return child;
}

const Architecture& SposEvolutionStrategy::any_parent() {
  return parents_[static_cast<size_t>(random_.below(static_cast<int64_t>(parents_.size())))]
      .architecture;
}

Json SposEvolutionStrategy::state() const {
  const auto all = [&](const auto& architectures) {
    Json list = Json::array();
    for (const Architecture& architecture : architectures) {
      list.push_back(choices_to_json(architecture, mutables_));
    }
    return list;
  };
  Json parents = Json::array();
  for (const Parent& parent : parents_) {
    parents.push_back({{"fitness", parent.fitness},
                       {"choices", choices_to_json(parent.architecture, mutables_)}});
  }
  return {{"random", random_.state()}, {"parents", parents},
          {"round", all(round_)},      {"next", next_},
          {"n_asked", n_asked_},       {"n_told", n_told_},
          {"n_rounds", n_rounds_},     {"proposed", all(proposed_)}};
}

void SposEvolutionStrategy::load_state(const Json& state) {
  random_.set_state(state.at("random"));
  parents_.clear();
  for (const Json& parent : state.at("parents")) {
    parents_.push_back({parent.at("fitness"), choices_from_json(parent.at("choices"), mutables_)});
  }
  round_.clear();
  for (const Json& choices : state.at("round")) {
    round_.push_back(choices_from_json(choices, mutables_));
  }
  proposed_.clear();
  for (const Json& choices : state.at("proposed")) {
    proposed_.insert(choices_from_json(choices, mutables_));
  }
  next_ = state.at("next");
  n_asked_ = state.at("n_asked");
  n_told_ = state.at("n_told");
  n_rounds_ = state.at("n_rounds");
}

}  // namespace retia
