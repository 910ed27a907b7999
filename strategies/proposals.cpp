#include "retia/strategies/proposals.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "retia/engine/mutables/combinations.h"
#include "retia/strategies/enumeration.h"

namespace retia {
namespace {

constexpr int64_t kMostEnumerated = 16384;
constexpr double kWorst = -std::numeric_limits<double>::infinity();

}  // namespace

std::optional<Proposal> Proposals::any(Random& random) {
  for (int64_t i = 0; i < novelty_.tries; ++i) {
    if (auto proposal = offer(domain_.sample(random))) {
      return proposal;
    }
  }
  return any_left(random);
}

std::optional<Proposal> Proposals::offer(const Architecture& architecture) {
  Architecture form = domain_.form(architecture);
  if (!is_open(form)) {
    return std::nullopt;
  }
  if (novelty_.duplicates == Duplicates::Skip) {
    proposed_.insert(form.hash());
  }
  return repeat(std::move(form));
}

bool Proposals::is_open(const Architecture& form) {
  const uint64_t hash = form.hash();
  if (proposed_.count(hash) != 0 || refused_.count(hash) != 0) {
    return false;
  }
  if (!domain_.admits(form)) {
    refused_.insert(hash);
    return false;
  }
  return true;
}

std::optional<Proposal> Proposals::any_left(Random& random) {
  if (!left_) {
    left_.emplace();
    if (n_combinations(domain_.mutables(), kMostEnumerated)) {
      Enumeration all(domain_);
      while (std::optional<Architecture> architecture = all.next()) {
        left_->push_back(std::move(*architecture));
      }
    }
  }
  left_->erase(std::remove_if(left_->begin(), left_->end(),
                              [&](const Architecture& form) { return !is_open(form); }),
               left_->end());
  if (left_->empty()) {
    return std::nullopt;
  }
  return offer((*left_)[static_cast<size_t>(random.below(static_cast<int64_t>(left_->size())))]);
}

Json Proposals::state() const {
  std::vector<uint64_t> proposed(proposed_.begin(), proposed_.end());
  std::sort(proposed.begin(), proposed.end());
  return {{"n_asked", n_asked_}, {"proposed", proposed}};
}

void Proposals::load_state(const Json& state) {
  const std::vector<uint64_t> proposed = state.at("proposed");
  proposed_ = {proposed.begin(), proposed.end()};
  left_.reset();
  n_asked_ = state.at("n_asked");
}

Strategy::Answer answer(std::optional<Proposal> proposal) {
  return proposal ? Strategy::Answer(std::move(*proposal)) : Exhausted{};
}

std::optional<double> reward_of(const Outcome& outcome, OnFailure on_failure) {
  if (outcome.status == TrialStatus::Succeeded) {
    return outcome.objectives.front();
  }
  return on_failure == OnFailure::Worst ? std::optional(kWorst) : std::nullopt;
}

Json reward_to_json(double reward) { return std::isfinite(reward) ? Json(reward) : Json(); }

double reward_from_json(const Json& json) { return json.is_null() ? kWorst : json.get<double>(); }

}  // namespace retia
