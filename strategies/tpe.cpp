#include "retia/strategies/tpe.h"

#include <algorithm>
#include <cmath>

namespace retia {
namespace {

Json to_json(const Categories& categories) {
  Json json = Json::array();
  for (const std::optional<int64_t>& category : categories) {
    json.push_back(category ? Json(*category) : Json());
  }
  return json;
}

Categories categories_from_json(const Json& json) {
  Categories categories;
  for (const Json& category : json) {
    categories.push_back(category.is_null() ? std::nullopt
                                            : std::optional(category.get<int64_t>()));
  }
  return categories;
}

}  // namespace

CategoryDensity::CategoryDensity(const Factors& factors, double prior) : prior_(prior) {
  for (const Factor& factor : factors.list()) {
    counts_.emplace_back(static_cast<size_t>(factor.n));
  }
}

void CategoryDensity::add(const Categories& categories, int64_t times) {
  for (size_t f = 0; f < categories.size(); ++f) {
    if (categories[f]) {
      counts_[f][static_cast<size_t>(*categories[f])] += times;
    }
  }
}

double CategoryDensity::at(size_t factor, int64_t category) const {
  double sum = 0;
  for (const int64_t count : counts_[factor]) {
    sum += static_cast<double>(count) + prior_;
  }
  return (static_cast<double>(counts_[factor][static_cast<size_t>(category)]) + prior_) / sum;
}

Categories CategoryDensity::sample(Random& random) const {
  Categories drawn;
  for (const std::vector<int64_t>& counts : counts_) {
    std::vector<double> weights;
    for (const int64_t count : counts) {
      weights.push_back(static_cast<double>(count) + prior_);
    }
    drawn.emplace_back(random.pick(weights));
  }
  return drawn;
}

TpeStrategy::TpeStrategy(const Domain& domain, const TpeOptions& options, uint64_t seed)
    : proposals_(domain, {options.duplicates, options.tries}),
      factors_(domain.mutables()),
      options_(options),
      random_(seed),
      all_(factors_, options.prior) {
  check_declared(options, "strategy 'tpe'");
}

Strategy::Answer TpeStrategy::ask() {
  if (n_observed_ >= options_.startup) {
    if (std::optional<Proposal> proposal = suggest()) {
      return std::move(*proposal);
    }
  }
  return answer(proposals_.any(random_));
}

std::optional<Proposal> TpeStrategy::suggest() {
  const double wanted = std::ceil(options_.gamma * std::sqrt(static_cast<double>(n_observed_)));
  const size_t n_good = std::min(best_.size(), static_cast<size_t>(wanted));
  CategoryDensity good(factors_, options_.prior);
  CategoryDensity other = all_;
  for (size_t i = 0; i < n_good; ++i) {
    good.add(best_[i].categories);
    other.add(best_[i].categories, -1);
  }
  std::vector<std::vector<double>> log_ratios;
  for (size_t f = 0; f < factors_.size(); ++f) {
    log_ratios.emplace_back();
    for (int64_t c = 0; c < factors_.list()[f].n; ++c) {
      log_ratios[f].push_back(std::log(good.at(f, c) / other.at(f, c)));
    }
  }
  for (int64_t i = 0; i < options_.tries; ++i) {
    std::vector<std::pair<double, Architecture>> drawn;
    for (int64_t k = 0; k < options_.candidates; ++k) {
      Architecture form = proposals_.domain().form(factors_.architecture(good.sample(random_)));
      const Categories reached = factors_.categories(form);
      double log_ratio = 0;
      for (size_t f = 0; f < reached.size(); ++f) {
        log_ratio += reached[f] ? log_ratios[f][static_cast<size_t>(*reached[f])] : 0;
      }
      drawn.emplace_back(log_ratio, std::move(form));
    }
    std::stable_sort(drawn.begin(), drawn.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (const auto& [log_ratio, architecture] : drawn) {
      if (std::optional<Proposal> proposal = proposals_.offer(architecture)) {
        return proposal;
      }
    }
  }
  return std::nullopt;
}

void TpeStrategy::tell(const Proposal& proposal, const Outcome& outcome) {
  learn(proposal.architecture, outcome);
}

void TpeStrategy::learn(const Architecture& architecture, const Outcome& outcome) {
  const std::optional<double> reward = reward_of(outcome, options_.on_failure);
  if (!reward) {
    return;
  }
  ++n_observed_;
  Observation observation{factors_.categories(architecture), *reward};
  all_.add(observation.categories);
  const auto place = std::find_if(best_.begin(), best_.end(),
                                  [&](const Observation& o) { return o.reward < *reward; });
  best_.insert(place, std::move(observation));
  if (best_.size() > static_cast<size_t>(options_.most_good)) {
    best_.pop_back();
  }
}

Json TpeStrategy::state() const {
  Json best = Json::array();
  for (const Observation& observation : best_) {
    best.push_back({{"categories", to_json(observation.categories)},
                    {"reward", reward_to_json(observation.reward)}});
  }
  return {{"random", random_.state()},
          {"proposals", proposals_.state()},
          {"counts", all_.counts()},
          {"best", best},
          {"n_observed", n_observed_}};
}

void TpeStrategy::load_state(const Json& state) {
  random_.set_state(state.at("random"));
  proposals_.load_state(state.at("proposals"));
  all_.set_counts(state.at("counts"));
  best_.clear();
  for (const Json& observation : state.at("best")) {
    best_.push_back({categories_from_json(observation.at("categories")),
                     reward_from_json(observation.at("reward"))});
  }
  n_observed_ = state.at("n_observed");
}

}  // namespace retia
