#pragma once

#include <unordered_map>

#include "retia/engine/io/option.h"
#include "retia/strategies/factors.h"
#include "retia/strategies/learner.h"
#include "retia/strategies/proposals.h"

namespace retia {

/// The point at which a climb moves to a better neighbour.
enum class Improvement {
  First,  ///< as soon as a better neighbour is found
  Best    ///< when all neighbours are known: to the best one
};
NLOHMANN_JSON_SERIALIZE_ENUM(Improvement,
                             {{Improvement::First, "first"}, {Improvement::Best, "best"}})

/// The options of LocalSearchStrategy.
struct LocalSearchOptions {
  int64_t starts = 10;  ///< random architectures per climb, which starts at the best of them, ≥ 1
  Improvement step = Improvement::First;
  int64_t tries = 500;  ///< draws to find a new start, ≥ 1
};
inline std::vector<Option> declared(LocalSearchOptions& o) {
  return {
      option("starts", o.starts, Range{1, 1e9},
             "random architectures of a climb, which starts at the best"),
      option("step", o.step, "neighbour that a climb moves to"),
      option("tries", o.tries, Range{1, 1e9}, "draws to find a new start"),
  };
}

/// Local search (White, Nolen and Savani, "Exploring the Loss Landscape in Neural Architecture
/// Search", UAI 2021): starts at the best of a few random architectures and moves to a better
/// neighbour, which differs in one decision (where any number of inputs may be chosen: in one
/// input), until there is none; then starts again elsewhere. No architecture is proposed twice; the
/// scores of known neighbours are remembered.
class LocalSearchStrategy final : public Strategy, public Learner {
 public:
  /// Proposes architectures of `domain`. `seed`: seed of the starts and of the order of neighbours.
  /// Throws, naming the option, where one is out of range.
  LocalSearchStrategy(const Domain& domain, const LocalSearchOptions& options, uint64_t seed);

  Answer ask() override;
  void tell(const Proposal& proposal, const Outcome& outcome) override;
  void learn(const Architecture& architecture, const Outcome& outcome) override;
  Json state() const override;
  void load_state(const Json& state) override;

 private:
  struct Place {
    Architecture architecture;
    double reward = 0;
  };
  void stand_on(Place place);
  bool step_to_known();
  void begin_again();
  std::vector<Architecture> neighbours(const Architecture& architecture) const;

  Proposals proposals_;
  Factors factors_;
  LocalSearchOptions options_;
  Random random_;
  std::unordered_map<uint64_t, double> rewards_;  // hash → reward, of all trials that succeeded
  std::optional<Place> place_;                    // position of the climb, or the best start so far
  std::vector<Architecture> neighbours_;          // neighbours of place_, in random order
  size_t next_ = 0;                               // next index in neighbours_
  bool climbing_ = false;                         // false: still trying starts
  int64_t n_starts_ = 0;                          // starts proposed for this climb
  int64_t n_pending_ = 0;
};

}  // namespace retia
