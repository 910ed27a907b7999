#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "mutators/strategies/domain.h"

namespace retia {

/// Every architecture of a space once, in its canonical form, in lexicographic order: labels in
/// graph order, the last one moving fastest, sets of inputs by size and then by their indices.
class Enumeration {
 public:
  explicit Enumeration(Domain domain);

  /// The next one; none: all have been.
  std::optional<Architecture> next();

  Json state() const;
  void load_state(const Json& state);

 private:
  void advance(int64_t last);

  Domain domain_;
  std::optional<Architecture> position_;  // decides every label, also those nothing reaches
};

/// In how many ways `mutables` can be decided, reached or not; none: in more than `limit`.
std::optional<int64_t> n_combinations(const std::vector<Mutable>& mutables, int64_t limit);

}  // namespace retia
