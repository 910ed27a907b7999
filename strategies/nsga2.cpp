#include "retia/strategies/nsga2.h"

#include <algorithm>
#include <tuple>

namespace retia {
Nsga2Strategy::Nsga2Strategy(const Domain& domain, const Nsga2Options& options, uint64_t seed)
    : proposals_(domain, {.tries = options.tries}), options_(options), random_(seed) {
  check_declared(options, "strategy 'nsga2'");
}

Strategy::Answer Nsga2Strategy::ask() {
  if (n_asked_ == options_.population) {
    if (n_told_ < n_asked_) {
      return Wait{};
    }
    begin_generation();
  }
  std::optional<Proposal> proposal = parents_.empty()
                                         ? proposals_.any(random_)
                                         : proposals_.next(random_, [&] { return child(); });
  n_asked_ += proposal ? 1 : 0;
  return answer(std::move(proposal));
}

void Nsga2Strategy::tell(const Proposal& proposal, const Outcome& outcome) {
  ++n_told_;
  learn(proposal.architecture, outcome);
}

void Nsga2Strategy::learn(const Architecture& architecture, const Outcome& outcome) {
  if (outcome.status == TrialStatus::Succeeded) {
    children_.push_back({architecture, outcome.objectives});
  }
}

void Nsga2Strategy::begin_generation() {
  std::vector<Member> all = std::move(parents_);
  std::move(children_.begin(), children_.end(), std::back_inserter(all));
  children_.clear();
  parents_ = survivors(std::move(all), static_cast<size_t>(options_.population));
  n_asked_ = n_told_ = 0;
}

std::vector<Nsga2Strategy::Member> Nsga2Strategy::survivors(std::vector<Member> members, size_t n) {
  std::vector<Objectives> points;
  for (const Member& member : members) {
    points.push_back(member.objectives);
  }
  const auto fronts = non_dominated_sort(points);
  for (size_t f = 0; f < fronts.size(); ++f) {
    std::vector<Objectives> front;
    for (const size_t i : fronts[f]) {
      front.push_back(points[i]);
    }
    const std::vector<double> distances = crowding_distances(front);
    for (size_t i = 0; i < fronts[f].size(); ++i) {
      members[fronts[f][i]].front = f;
      members[fronts[f][i]].crowding = distances[i];
    }
  }
  std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) {
    return std::tuple(a.front, -a.crowding) < std::tuple(b.front, -b.crowding);
  });
  members.resize(std::min(n, members.size()));
  return members;
}

Architecture Nsga2Strategy::child() {
  const Domain& domain = proposals_.domain();
  const Architecture& parent = winner();
  const bool crosses = random_.uniform() < options_.crossover_probability;
  return domain.mutated(crosses ? domain.crossed(parent, winner(), random_) : parent,
                        options_.mutation_probability, random_);
}

/// Returns the winner of a tournament of two. Survivors are sorted by fitness, so the lower index
/// wins.
const Architecture& Nsga2Strategy::winner() {
  const auto size = static_cast<int64_t>(parents_.size());
  const int64_t best = random_.choose(std::min<int64_t>(2, size), size).front();
  return parents_[static_cast<size_t>(best)].architecture;
}

Json Nsga2Strategy::to_json(const std::vector<Member>& members) const {
  Json json = Json::array();
  for (const Member& member : members) {
    json.push_back({{"choices", proposals_.domain().to_json(member.architecture)},
                    {"objectives", member.objectives}});
  }
  return json;
}

std::vector<Nsga2Strategy::Member> Nsga2Strategy::members_from_json(const Json& json) const {
  std::vector<Member> members;
  for (const Json& member : json) {
    members.push_back(
        {proposals_.domain().from_json(member.at("choices")), member.at("objectives")});
  }
  return members;
}

Json Nsga2Strategy::state() const {
  return {{"random", random_.state()},    {"proposals", proposals_.state()},
          {"parents", to_json(parents_)}, {"children", to_json(children_)},
          {"n_asked", n_asked_},          {"n_told", n_told_}};
}

void Nsga2Strategy::load_state(const Json& state) {
  random_.set_state(state.at("random"));
  proposals_.load_state(state.at("proposals"));
  parents_ = members_from_json(state.at("parents"));
  children_ = members_from_json(state.at("children"));
  n_asked_ = state.at("n_asked");
  n_told_ = state.at("n_told");
}

}  // namespace retia
