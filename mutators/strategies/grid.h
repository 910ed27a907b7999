#pragma once

#include "engine/strategy.h"
#include "mutators/strategies/enumeration.h"

namespace retia {

/// A grid has no options.
struct GridOptions {};
inline void to_json(Json& json, const GridOptions&) { json = Json::object(); }
inline void from_json(const Json&, GridOptions&) {}

/// Every architecture of a space once, in lexicographic order (see Enumeration); then exhausted.
/// What differs only in labels that nothing reaches is one architecture.
class GridStrategy final : public Strategy {
 public:
  explicit GridStrategy(const ir::Space& space);

  Answer ask() override;
  void tell(const Proposal&, const Outcome&) override {}
  Json state() const override;
  void load_state(const Json& state) override;

 private:
  Enumeration enumeration_;
  int64_t n_proposed_ = 0;
};

}  // namespace retia
