#pragma once

#include "retia/strategies/proposals.h"

namespace retia {

struct RandomOptions {
  Duplicates duplicates = Duplicates::Skip;  ///< Allow: the space is never exhausted
  int64_t tries = 500;                       ///< draws to find a new architecture, ≥ 1
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(RandomOptions, duplicates, tries)

/// Random search: proposes uniform decisions (see Domain::sample), no architecture twice unless
/// allowed. Source: Li and Talwalkar, "Random Search and Reproducibility for NAS", UAI 2019.
class RandomStrategy final : public Strategy {
 public:
  RandomStrategy(const Domain& domain, const RandomOptions& options, uint64_t seed);

  Answer ask() override;
  void tell(const Proposal&, const Outcome&) override {}
  Json state() const override;
  void load_state(const Json& state) override;

 private:
  Proposals proposals_;
  Random random_;
};

}  // namespace retia
