#pragma once

#include <optional>
#include <unordered_set>
#include <vector>

#include "retia/engine/experiment/strategy.h"
#include "retia/strategies/domain.h"

namespace retia {

/// The treatment of an architecture that was proposed before: skipped or proposed again.
enum class Duplicates { Skip, Allow };
NLOHMANN_JSON_SERIALIZE_ENUM(Duplicates, {{Duplicates::Skip, "skip"}, {Duplicates::Allow, "allow"}})

/// The reward of a trial that failed or was invalid.
enum class OnFailure {
  Ignore,  ///< no reward: the strategy learns nothing
  Worst    ///< a reward below that of every other trial
};
NLOHMANN_JSON_SERIALIZE_ENUM(OnFailure,
                             {{OnFailure::Ignore, "ignore"}, {OnFailure::Worst, "worst"}})

/// Settings for finding architectures that were not proposed yet.
struct Novelty {
  Duplicates duplicates = Duplicates::Skip;  ///< Skip: no architecture is proposed twice
  int64_t tries = 500;                       ///< draws per proposal
};

/// The common part of strategies: numbers proposals and finds admitted, new architectures. Where
/// draws find no new architecture, a space of at most 16,384 combinations is searched completely; a
/// larger space counts as exhausted. Uses 8 bytes of memory per proposal, since only hashes of
/// architectures are kept.
class Proposals {
 public:
  /// Proposes architectures of `domain`, new ones as `novelty` says.
  Proposals(Domain domain, const Novelty& novelty)
      : domain_(std::move(domain)), novelty_(novelty) {}

  /// Returns the domain given at construction.
  const Domain& domain() const { return domain_; }

  /// Returns the first admitted, new architecture from `tries` calls of `draw`, else from as many
  /// uniform draws, else any that is left; none: the space is exhausted.
  template <class Draw>
  std::optional<Proposal> next(Random& random, const Draw& draw) {
    for (int64_t i = 0; i < novelty_.tries; ++i) {
      if (auto proposal = offer(draw())) {
        return proposal;
      }
    }
    return any(random);
  }

  /// Returns an admitted, new architecture drawn uniformly; none: the space is exhausted.
  std::optional<Proposal> any(Random& random);

  /// Proposes the canonical form of `architecture`; none where it is not admitted or not new.
  std::optional<Proposal> offer(const Architecture& architecture);

  /// Proposes `architecture` even if it was proposed before.
  Proposal repeat(Architecture architecture) {
    return {.id = n_asked_++, .architecture = std::move(architecture)};
  }

  /// Returns the number of proposals so far, which is the id of the next one.
  int64_t n_asked() const { return n_asked_; }

  /// Returns the number of proposals and the hashes of their architectures, for a checkpoint.
  Json state() const;
  /// Restores what state() returned.
  void load_state(const Json& state);

 private:
  bool is_open(const Architecture& form);
  std::optional<Proposal> any_left(Random& random);

  Domain domain_;
  Novelty novelty_;
  int64_t n_asked_ = 0;
  std::unordered_set<uint64_t> proposed_;  // hashes of proposed architectures
  // Hashes of architectures that the filter rejected, which saves asking again.
  std::unordered_set<uint64_t> refused_;
  // Remaining architectures of a small space, once listed.
  std::optional<std::vector<Architecture>> left_;
};

/// Converts a proposal to an answer; none becomes Exhausted.
Strategy::Answer answer(std::optional<Proposal> proposal);

/// Returns the reward of an architecture: its first objective; for a failure, minus infinity or
/// none, as `on_failure` says.
std::optional<double> reward_of(const Outcome& outcome, OnFailure on_failure);

/// Returns a reward as JSON; minus infinity, which JSON lacks, becomes null.
Json reward_to_json(double reward);
/// Returns the reward that reward_to_json wrote.
double reward_from_json(const Json& json);

}  // namespace retia
