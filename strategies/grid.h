#pragma once

#include <optional>

#include "retia/engine/experiment/strategy.h"
#include "retia/engine/io/option.h"
#include "retia/strategies/enumeration.h"
#include "retia/strategies/factors.h"

namespace retia {

/// The order of a grid: lexicographic (see Enumeration), or shuffled by the seed.
enum class GridOrder { Lexicographic, Shuffled };
NLOHMANN_JSON_SERIALIZE_ENUM(GridOrder, {{GridOrder::Lexicographic, "lexicographic"},
                                         {GridOrder::Shuffled, "shuffled"}})

/// The options of GridStrategy.
struct GridOptions {
  GridOrder order = GridOrder::Lexicographic;
};
inline std::vector<Option> declared(GridOptions& o) {
  return {
      option("order", o.order, "order of the architectures"),
  };
}

/// Proposes every architecture of a space once, in lexicographic order (see Enumeration) or in an
/// order shuffled by the seed. Architectures that differ only in labels that the model does not use
/// are one. A shuffled space may have up to 2^62 combinations, since the order is computed without
/// a list.
class GridStrategy final : public Strategy {
 public:
  /// Proposes architectures of `domain`. `seed`: seed of the shuffled order. Throws where a space
  /// to shuffle has more than 2^62 combinations.
  explicit GridStrategy(const Domain& domain, const GridOptions& options = {}, uint64_t seed = 0);

  Answer ask() override;
  void tell(const Proposal&, const Outcome&) override {}
  Json state() const override;
  void load_state(const Json& state) override;

 private:
  std::optional<Architecture> next_shuffled();
  int64_t shuffled(int64_t index) const;

  Domain domain_;
  Enumeration enumeration_;
  std::optional<Factors> factors_;  // set where shuffled
  int64_t n_combinations_ = 0;
  uint64_t seed_;
  int64_t position_ = 0;  // position in the shuffled order
  int64_t n_proposed_ = 0;
};

}  // namespace retia
