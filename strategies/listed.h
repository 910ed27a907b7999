#pragma once

#include <vector>

#include "retia/engine/experiment/strategy.h"

namespace retia {

/// Proposes given architectures, one after the other.
class ListedStrategy final : public Strategy {
 public:
  /// `architectures`: in canonical form.
  explicit ListedStrategy(std::vector<Architecture> architectures)
      : architectures_(std::move(architectures)) {}

  Answer ask() override;
  void tell(const Proposal&, const Outcome&) override {}
  Json state() const override { return {{"next", next_}}; }
  void load_state(const Json& state) override { next_ = state.at("next"); }

 private:
  std::vector<Architecture> architectures_;
  size_t next_ = 0;
};

}  // namespace retia
