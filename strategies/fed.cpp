#include "retia/strategies/fed.h"

namespace retia {

FedStrategy::FedStrategy(std::unique_ptr<Strategy> strategy, std::vector<Architecture> enqueued,
                         const std::vector<KnownTrial>& known)
    : strategy_(std::move(strategy)), enqueued_(std::move(enqueued)) {
  for (const KnownTrial& trial : known) {
    learn(trial.architecture, trial.outcome);
  }
}

Strategy::Answer FedStrategy::ask() {
  if (next_ < n_enqueued()) {
    const int64_t id = next_++;
    return Proposal{.id = id, .architecture = enqueued_[static_cast<size_t>(id)]};
  }
  Answer answer = strategy_->ask();
  if (auto* proposal = std::get_if<Proposal>(&answer)) {
    proposal->id += n_enqueued();
    proposal->continues += proposal->continues >= 0 ? n_enqueued() : 0;
  }
  return answer;
}

void FedStrategy::tell(const Proposal& proposal, const Outcome& outcome) {
  if (proposal.id < n_enqueued()) {
    learn(proposal.architecture, outcome);
    return;
  }
  Proposal own = proposal;
  own.id -= n_enqueued();
  own.continues -= own.continues >= 0 ? n_enqueued() : 0;
  strategy_->tell(own, outcome);
}

void FedStrategy::learn(const Architecture& architecture, const Outcome& outcome) {
  if (auto* learner = dynamic_cast<Learner*>(strategy_.get())) {
    learner->learn(architecture, outcome);
  }
}

Json FedStrategy::state() const { return {{"next", next_}, {"strategy", strategy_->state()}}; }

void FedStrategy::load_state(const Json& state) {
  next_ = state.at("next");
  strategy_->load_state(state.at("strategy"));
}

}  // namespace retia
