#include "retia/strategies/asha.h"

#include <algorithm>

namespace retia {
AshaStrategy::AshaStrategy(const Domain& domain, const AshaOptions& options, uint64_t seed)
    : proposals_(domain, {.tries = options.tries}), options_(options), random_(seed) {
  check_declared(options, "strategy 'asha'");
  TORCH_CHECK(options.max_epochs >= options.min_epochs,
              "strategy 'asha': max_epochs must be at least min_epochs, got ", options.max_epochs,
              " and ", options.min_epochs);
  for (int64_t epochs = options.min_epochs; epochs < options.max_epochs;
       epochs = std::min(epochs * options.reduction, options.max_epochs)) {
    rungs_.push_back({epochs, {}});
  }
  rungs_.push_back({options.max_epochs, {}});
}

Strategy::Answer AshaStrategy::ask() {
  std::optional<Proposal> proposal = promote();
  if (!proposal) {
    const Random before = random_;
    proposal = proposals_.any(random_);
    if (!proposal) {
      random_ = before;
      return n_pending_ > 0 ? Answer(Wait{}) : Exhausted{};
    }
    proposal->epochs = rungs_.front().epochs;
  }
  ++n_pending_;
  return std::move(*proposal);
}

std::optional<Proposal> AshaStrategy::promote() {
  for (size_t r = rungs_.size() - 1; r-- > 0;) {
    std::vector<Finished>& finished = rungs_[r].finished;
    const size_t n_best = finished.size() / static_cast<size_t>(options_.reduction);
    for (size_t i = 0; i < n_best; ++i) {
      Finished& trial = finished[i];
      if (!trial.promoted) {
        trial.promoted = true;
        Proposal proposal = proposals_.repeat(trial.architecture);
        proposal.epochs = rungs_[r + 1].epochs;
        proposal.continues = options_.promotion == Promotion::Continue ? trial.id : -1;
        return proposal;
      }
    }
  }
  return std::nullopt;
}

void AshaStrategy::tell(const Proposal& proposal, const Outcome& outcome) {
  --n_pending_;
  const std::optional<double> reward = reward_of(outcome, OnFailure::Ignore);
  if (!reward) {
    return;
  }
  const auto rung = std::find_if(rungs_.begin(), rungs_.end(),
                                 [&](const Rung& r) { return r.epochs == proposal.epochs; });
  TORCH_INTERNAL_ASSERT(rung != rungs_.end());
  const auto place = std::find_if(rung->finished.begin(), rung->finished.end(),
                                  [&](const Finished& f) { return f.reward < *reward; });
  rung->finished.insert(place, {proposal.id, proposal.architecture, *reward, false});
}

Json AshaStrategy::state() const {
  Json rungs = Json::array();
  for (const Rung& rung : rungs_) {
    rungs.push_back(Json::array());
    for (const Finished& trial : rung.finished) {
      rungs.back().push_back({{"trial", trial.id},
                              {"choices", proposals_.domain().to_json(trial.architecture)},
                              {"reward", trial.reward},
                              {"promoted", trial.promoted}});
    }
  }
  return {{"random", random_.state()},
          {"proposals", proposals_.state()},
          {"rungs", rungs},
          {"n_pending", n_pending_}};
}

void AshaStrategy::load_state(const Json& state) {
  random_.set_state(state.at("random"));
  proposals_.load_state(state.at("proposals"));
  for (size_t r = 0; r < rungs_.size(); ++r) {
    rungs_[r].finished.clear();
    for (const Json& trial : state.at("rungs").at(r)) {
      rungs_[r].finished.push_back({trial.at("trial"),
                                    proposals_.domain().from_json(trial.at("choices")),
                                    trial.at("reward"), trial.at("promoted")});
    }
  }
  n_pending_ = state.at("n_pending");
}

}  // namespace retia
