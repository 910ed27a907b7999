#pragma once

#include "mutators/strategies/proposals.h"

namespace retia {

/// How a promoted trial gets its further epochs.
enum class Promotion {
  Continue,  ///< from the weights of the trial that is promoted
  Restart    ///< from scratch
};
NLOHMANN_JSON_SERIALIZE_ENUM(Promotion,
                             {{Promotion::Continue, "continue"}, {Promotion::Restart, "restart"}})

struct AshaOptions {
  int64_t min_epochs = 1;  ///< of the lowest rung, ≥ 1
  int64_t max_epochs = 9;  ///< of the highest, ≥ min_epochs
  int64_t reduction = 3;   ///< of a rung's trials one in so many is promoted, ≥ 2
  Promotion promotion = Promotion::Continue;
  int64_t tries = 500;  ///< draws to find a new architecture, ≥ 1
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(AshaOptions, min_epochs, max_epochs, reduction,
                                                promotion, tries)

/// Asynchronous successive halving (Li et al., "A System for Massively Parallel Hyperparameter
/// Tuning", MLSys 2020): random architectures are trained for min_epochs; whenever one is among the
/// best 1 / reduction of all that have finished its rung, it is promoted to reduction times as many
/// epochs, up to max_epochs. Promotions come first, from the highest rung; nobody waits for a rung
/// to fill. Ends when the space is exhausted and nothing is left to promote.
class AshaStrategy final : public Strategy {
 public:
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
    std::vector<Finished> finished;  // the best first
  };
  std::optional<Proposal> promote();

  Proposals proposals_;
  AshaOptions options_;
  Random random_;
  std::vector<Rung> rungs_;  // the lowest first
  int64_t n_pending_ = 0;
};

}  // namespace retia
