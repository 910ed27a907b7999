#include "retia/strategies/grid.h"

#include "retia/engine/mutables/combinations.h"

namespace retia {
namespace {

constexpr int64_t kMostCombinations = int64_t{1} << 62;
constexpr uint64_t kRounds = 6;

}  // namespace

GridStrategy::GridStrategy(const Domain& domain, const GridOptions& options, uint64_t seed)
    : domain_(domain), enumeration_(domain), seed_(seed) {
  if (options.order == GridOrder::Shuffled) {
    factors_.emplace(domain.mutables());
    const auto n = n_combinations(domain.mutables(), kMostCombinations);
    TORCH_CHECK(n.has_value(), "strategy 'grid': the space has more than 2^62 combinations, too ",
                "many to shuffle: take order lexicographic, or strategy random");
    n_combinations_ = *n;
  }
}

Strategy::Answer GridStrategy::ask() {
  while (std::optional<Architecture> architecture =
             factors_ ? next_shuffled() : enumeration_.next()) {
    if (domain_.admits(*architecture)) {
      return Proposal{.id = n_proposed_++, .architecture = std::move(*architecture)};
    }
  }
  return Exhausted{};
}

// Of the combinations that are one architecture, the one with category 0 wherever nothing is
// reached stands for all.
std::optional<Architecture> GridStrategy::next_shuffled() {
  while (position_ < n_combinations_) {
    int64_t rest = shuffled(position_++);
    Categories categories(factors_->size());
    for (size_t f = 0; f < categories.size(); ++f) {
      const int64_t n = factors_->list()[f].n;
      categories[f] = rest % n;
      rest /= n;
    }
    Architecture form = domain_.form(factors_->architecture(categories));
    const Categories reached = factors_->categories(form);
    bool stands_for_its_form = true;
    for (size_t f = 0; f < categories.size(); ++f) {
      stands_for_its_form = stands_for_its_form && categories[f] == reached[f].value_or(0);
    }
    if (stands_for_its_form) {
      return form;
    }
  }
  return std::nullopt;
}

/// A permutation of 0 … n-1: a Feistel network on the next power of four, walked until it comes
/// back into the range (Black and Rogaway, "Ciphers with Arbitrary Finite Domains", 2002).
int64_t GridStrategy::shuffled(int64_t index) const {
  int half = 1;
  while ((int64_t{1} << (2 * half)) < n_combinations_) {
    ++half;
  }
  const uint64_t mask = (uint64_t{1} << half) - 1;
  do {
    uint64_t left = static_cast<uint64_t>(index) >> half;
    uint64_t right = static_cast<uint64_t>(index) & mask;
    for (uint64_t round = 0; round < kRounds; ++round) {
      const uint64_t mixed = left ^ (mix({seed_, round, right}) & mask);
      left = right;
      right = mixed;
    }
    index = static_cast<int64_t>(left << half | right);
  } while (index >= n_combinations_);
  return index;
}

Json GridStrategy::state() const {
  return {{"position", enumeration_.state()},
          {"shuffled_position", position_},
          {"n_proposed", n_proposed_}};
}

void GridStrategy::load_state(const Json& state) {
  enumeration_.load_state(state.at("position"));
  position_ = state.at("shuffled_position");
  n_proposed_ = state.at("n_proposed");
}

}  // namespace retia
