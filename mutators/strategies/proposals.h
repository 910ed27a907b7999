#pragma once

#include <optional>
#include <unordered_set>
#include <vector>

#include "engine/strategy.h"
#include "mutators/strategies/domain.h"

namespace retia {

enum class Duplicates { Skip, Allow };
NLOHMANN_JSON_SERIALIZE_ENUM(Duplicates, {{Duplicates::Skip, "skip"}, {Duplicates::Allow, "allow"}})

/// What a strategy learns from a trial that failed or was invalid.
enum class OnFailure {
  Ignore,  ///< nothing
  Worst    ///< that it is worse than any other
};
NLOHMANN_JSON_SERIALIZE_ENUM(OnFailure,
                             {{OnFailure::Ignore, "ignore"}, {OnFailure::Worst, "worst"}})

/// How a strategy looks for what it has not proposed yet.
struct Novelty {
  Duplicates duplicates = Duplicates::Skip;  ///< skip: no architecture is proposed twice
  int64_t tries = 500;                       ///< draws for each proposal, ≥ 1
};

/// What strategies have in common: numbers proposals, and finds what is admitted and new. Where
/// draws find nothing, a space of at most 16,384 combinations is searched for what is left, so that
/// it is exhausted to the last; a larger one counts as exhausted. Remembers 8 bytes for each
/// proposal: architectures are known by their hash.
class Proposals {
 public:
  /// strategy: its name, for messages.
  Proposals(Domain domain, const char* strategy, const Novelty& novelty);

  const Domain& domain() const { return domain_; }

  /// The first architecture of `tries` calls of `draw` that may be proposed; else of as many
  /// uniform ones; else any that is left; none: the space is exhausted.
  template <class Draw>
  std::optional<Proposal> next(Random& random, const Draw& draw) {
    for (int64_t i = 0; i < novelty_.tries; ++i) {
      if (auto proposal = offer(draw())) {
        return proposal;
      }
    }
    return any(random);
  }

  /// A uniform one that may be proposed.
  std::optional<Proposal> any(Random& random);

  /// Proposes the canonical form of `architecture`, if it is admitted and new.
  std::optional<Proposal> offer(const Architecture& architecture);

  /// Proposes `architecture` whatever was proposed before.
  Proposal repeat(Architecture architecture) {
    return {.id = n_asked_++, .architecture = std::move(architecture)};
  }

  int64_t n_asked() const { return n_asked_; }

  Json state() const;
  void load_state(const Json& state);

 private:
  bool is_open(const Architecture& form);
  std::optional<Proposal> any_left(Random& random);

  Domain domain_;
  Novelty novelty_;
  int64_t n_asked_ = 0;
  std::unordered_set<uint64_t> proposed_;          // hashes
  std::unordered_set<uint64_t> refused_;           // by the filter; saves asking it again
  std::optional<std::vector<Architecture>> left_;  // in the order of enumeration, once looked for
};

/// None: exhausted.
Strategy::Answer answer(std::optional<Proposal> proposal);

/// What a trial says about its architecture: its first objective; none: nothing to learn. The
/// worst is minus infinity.
std::optional<double> reward_of(const Outcome& outcome, OnFailure on_failure);

/// Throws, naming the option, unless low ≤ value ≤ high.
void check_option(const char* strategy, const char* name, double value, double low, double high);
void check_option(const char* strategy, const char* name, int64_t value, int64_t low);

/// JSON has no infinity.
Json reward_to_json(double reward);
double reward_from_json(const Json& json);

}  // namespace retia
