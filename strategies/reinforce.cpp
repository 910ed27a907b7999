#include "retia/strategies/reinforce.h"

#include <algorithm>
#include <cmath>

namespace retia {
namespace {

std::vector<double> softmax(const std::vector<double>& logits) {
  const double highest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> weights;
  double sum = 0;
  for (const double logit : logits) {
    weights.push_back(std::exp(logit - highest));
    sum += weights.back();
  }
  for (double& weight : weights) {
    weight /= sum;
  }
  return weights;
}

double entropy(const std::vector<double>& probabilities) {
  double sum = 0;
  for (const double p : probabilities) {
    sum -= p > 0 ? p * std::log(p) : 0;
  }
  return sum;
}

}  // namespace

ReinforceStrategy::ReinforceStrategy(const Domain& domain, const ReinforceStrategyOptions& options,
                                     uint64_t seed)
    : proposals_(domain, {options.duplicates, options.tries}),
      factors_(domain.mutables()),
      options_(options),
      random_(seed) {
  check_declared(options, "strategy 'reinforce'");
  for (const Factor& factor : factors_.list()) {
    logits_.emplace_back(static_cast<size_t>(factor.n));
  }
}

Strategy::Answer ReinforceStrategy::ask() {
  const std::vector<std::vector<double>> policy = probabilities();
  return answer(proposals_.next(random_, [&] {
    Categories drawn;
    for (const std::vector<double>& distribution : policy) {
      drawn.emplace_back(random_.pick(distribution));
    }
    return factors_.architecture(drawn);
  }));
}

void ReinforceStrategy::tell(const Proposal& proposal, const Outcome& outcome) {
  const std::optional<double> reward = reward_of(outcome, options_.on_failure);
  if (!reward || (n_told_ == 0 && !std::isfinite(*reward))) {
    return;  // before the first success there is nothing to compare with
  }
  const double weight = advantage(*reward);
  const Categories chosen = factors_.categories(proposal.architecture);
  for (size_t f = 0; f < chosen.size(); ++f) {
    if (!chosen[f]) {
      continue;
    }
    const std::vector<double> p = softmax(logits_[f]);
    const double h = entropy(p);
    for (size_t c = 0; c < p.size(); ++c) {
      const double of_log_p = (static_cast<int64_t>(c) == *chosen[f] ? 1.0 : 0.0) - p[c];
      const double of_entropy = p[c] > 0 ? -p[c] * (std::log(p[c]) + h) : 0;
      logits_[f][c] += options_.lr * (weight * of_log_p + options_.entropy_weight * of_entropy);
    }
  }
}

/// Returns how much better than average a reward is, in standard deviations. A failure counts as
/// the worst reward so far.
double ReinforceStrategy::advantage(double reward) {
  if (n_told_++ == 0) {
    baseline_ = worst_ = reward;
    return 0;
  }
  worst_ = std::isfinite(reward) ? std::min(worst_, reward) : worst_;
  const double difference = std::max(reward, worst_) - baseline_;
  // Plain averages until they are as long as the moving ones.
  const double decay = std::min(options_.baseline_decay, 1 - 1 / static_cast<double>(n_told_));
  baseline_ += (1 - decay) * difference;
  variance_ = decay * (variance_ + (1 - decay) * difference * difference);
  const double deviation = std::sqrt(variance_);
  return deviation > 0 ? difference / deviation : 0;
}

std::vector<std::vector<double>> ReinforceStrategy::probabilities() const {
  std::vector<std::vector<double>> policy;
  for (const std::vector<double>& logits : logits_) {
    policy.push_back(softmax(logits));
  }
  return policy;
}

Json ReinforceStrategy::state() const {
  return {{"random", random_.state()},
          {"proposals", proposals_.state()},
          {"logits", logits_},
          {"n_told", n_told_},
          {"baseline", baseline_},
          {"variance", variance_},
          {"worst", worst_}};
}

void ReinforceStrategy::load_state(const Json& state) {
  random_.set_state(state.at("random"));
  proposals_.load_state(state.at("proposals"));
  logits_ = state.at("logits").get<std::vector<std::vector<double>>>();
  n_told_ = state.at("n_told");
  baseline_ = state.at("baseline");
  variance_ = state.at("variance");
  worst_ = state.at("worst");
}

}  // namespace retia
