#pragma once

#include <memory>
#include <vector>

#include "retia/strategies/learner.h"

namespace retia {

/// An architecture whose outcome is known before an exploration begins.
struct KnownTrial {
  Architecture architecture;  ///< canonical
  Outcome outcome;
};

/// Proposes given architectures before those of another strategy, which learns from their outcomes,
/// and from outcomes that are known from the start, where it is a Learner. The other strategy must
/// be kept from proposing any of them itself, by the filter of its domain.
class FedStrategy final : public Strategy {
 public:
  /// `enqueued`: architectures to propose first, canonical. `known`: told to `strategy` now.
  FedStrategy(std::unique_ptr<Strategy> strategy, std::vector<Architecture> enqueued,
              const std::vector<KnownTrial>& known);

  Answer ask() override;
  void tell(const Proposal& proposal, const Outcome& outcome) override;
  Json state() const override;
  void load_state(const Json& state) override;

 private:
  void learn(const Architecture& architecture, const Outcome& outcome);
  int64_t n_enqueued() const { return static_cast<int64_t>(enqueued_.size()); }

  std::unique_ptr<Strategy> strategy_;
  std::vector<Architecture> enqueued_;
  int64_t next_ = 0;  // of those enqueued
};

}  // namespace retia
