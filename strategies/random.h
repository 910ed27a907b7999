#pragma once

#include "retia/engine/io/option.h"
#include "retia/strategies/proposals.h"

namespace retia {

/// The options of RandomStrategy.
struct RandomOptions {
  Duplicates duplicates = Duplicates::Skip;  ///< Allow: the space is never exhausted
  int64_t tries = 500;                       ///< draws to find a new architecture, ≥ 1
};
inline std::vector<Option> declared(RandomOptions& o) {
  return {
      option("duplicates", o.duplicates, "architectures that were proposed before"),
      option("tries", o.tries, Range{1, 1e9}, "draws to find a new architecture"),
  };
}

/// Random search: proposes uniform decisions (see Domain::sample), no architecture twice unless
/// allowed. Source: Li and Talwalkar, "Random Search and Reproducibility for NAS", UAI 2019.
class RandomStrategy final : public Strategy {
 public:
  /// Proposes architectures of `domain`. `seed`: seed of the decisions. Throws, naming the option,
  /// where one is out of range.
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
