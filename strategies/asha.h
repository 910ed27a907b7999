#pragma once

#include "retia/engine/io/option.h"
#include "retia/strategies/proposals.h"

namespace retia {

/// The way in which a promoted trial gets its further epochs.
enum class Promotion {
  Continue,  ///< continues from the weights of the promoted trial
  Restart    ///< trains from scratch
};
NLOHMANN_JSON_SERIALIZE_ENUM(Promotion,
                             {{Promotion::Continue, "continue"}, {Promotion::Restart, "restart"}})

/// The options of AshaStrategy.
struct AshaOptions {
  int64_t min_epochs = 1;  ///< epochs of the lowest rung, ≥ 1
  int64_t max_epochs = 9;  ///< epochs of the highest rung, ≥ min_epochs
  int64_t reduction = 3;   ///< one in this many trials of a rung is promoted, ≥ 2
  Promotion promotion = Promotion::Continue;
  int64_t tries = 500;  ///< draws to find a new architecture, ≥ 1
};
inline std::vector<Option> declared(AshaOptions& o) {
  return {
      option("min_epochs", o.min_epochs, Range{1, 1e9}, "epochs of the lowest rung"),
      option("max_epochs", o.max_epochs, Range{1, 1e9}, "epochs of the highest rung"),
      option("reduction", o.reduction, Range{2, 1e6},
             "one in so many trials of a rung is promoted"),
      option("promotion", o.promotion, "how a promoted trial trains"),
      option("tries", o.tries, Range{1, 1e9}, "draws to find a new architecture"),
  };
}

/// Asynchronous successive halving (Li et al., "A System for Massively Parallel Hyperparameter
/// Tuning", MLSys 2020). Random architectures are trained for min_epochs; when one is among the
/// best 1 / reduction of all that have finished its rung, it is promoted: trained for `reduction`
/// times as many epochs, up to max_epochs. Promotions come first, from the highest rung down; no
/// trial waits for a rung to fill. Exhausted when the space is and no promotion is left.
class AshaStrategy final : public Strategy {
 public:
  /// Proposes architectures of `domain`. `seed`: seed of the draws. Throws, naming the option,
  /// where one is out of range.
  AshaStrategy(const Domain& domain, const AshaOptions& options, uint64_t seed);

  Answer ask() override;
  void tell(const Proposal& proposal, const Outcome& outcome) override;
  Json state() const override;
  void load_state(const Json& state) override;

 private:
  struct Finished {
    int64_t id = 0;
    Architecture architecture;
    double reward = 0;
    bool promoted = false;
  };
  struct Rung {
    int64_t epochs = 0;
    std::vector<Finished> finished;  // sorted, the best first
  };
  std::optional<Proposal> promote();

  Proposals proposals_;
  AshaOptions options_;
  Random random_;
  std::vector<Rung> rungs_;  // sorted, the lowest first
  int64_t n_pending_ = 0;
};

}  // namespace retia
