#pragma once

#include <set>
#include <vector>

#include "engine/ir/space.h"
#include "engine/random.h"
#include "engine/strategy.h"

namespace retia {

enum class Duplicates { Skip, Allow };
NLOHMANN_JSON_SERIALIZE_ENUM(Duplicates, {{Duplicates::Skip, "skip"}, {Duplicates::Allow, "allow"}})

struct RandomOptions {
  Duplicates duplicates = Duplicates::Skip;  ///< allow: never exhausted
  int64_t tries = 500;                       ///< draws to find a new architecture, ≥ 1
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RandomOptions, duplicates, tries)

/// Uniform decisions: each candidate of a choice, and each set of n_chosen inputs, is equally
/// likely; where any number may be chosen, each input with probability 1/2. No architecture twice.
/// When `tries` draws give nothing new, a space of at most 4,096 combinations is searched for
/// what is left, so that it is exhausted to the last; a larger one counts as exhausted.
/// Li and Talwalkar, "Random Search and Reproducibility for NAS", UAI 2019.
class RandomStrategy final : public Strategy {
 public:
  RandomStrategy(const ir::Space& space, const RandomOptions& options, uint64_t seed);

  Answer ask() override;
  void tell(const Proposal&, const Outcome&) override {}
  Json state() const override;
  void load_state(const Json& state) override;

 private:
  Proposal propose(Architecture architecture);

  ir::Space space_;
  std::vector<Mutable> mutables_;
  RandomOptions options_;
  Random random_;
  std::set<Architecture> proposed_;  // canonical
  int64_t n_proposed_ = 0;
};

}  // namespace retia
