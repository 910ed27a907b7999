#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "retia/strategies/domain.h"

namespace retia {

/// Lists every architecture of a space once, in canonical form and lexicographic order: labels in
/// graph order, the last label varying fastest; sets of inputs by size, then by indices.
class Enumeration {
 public:
  /// Starts at the first architecture. The filter of `domain` is not asked.
  explicit Enumeration(Domain domain);

  /// Returns the next architecture; none after the last.
  std::optional<Architecture> next();

  /// Returns the position, for a checkpoint; null after the last architecture.
  Json state() const;
  /// Restores what state() returned. Throws where the position is of another space.
  void load_state(const Json& state);

 private:
  void advance(int64_t last);

  Domain domain_;
  // Decides every label, also labels that the model does not use.
  std::optional<Architecture> position_;
};

}  // namespace retia
