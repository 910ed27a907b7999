#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include "engine/ir/space.h"
#include "engine/json.h"

namespace retia {

/// Every architecture of a space once, in its canonical form, in lexicographic order: labels in
/// graph order, the last one moving fastest, sets of inputs by size and then by their indices.
class Enumeration {
 public:
  explicit Enumeration(ir::Space space);

  /// The next one; none: all have been.
  std::optional<Architecture> next();

  Json state() const;
  void load_state(const Json& state);

 private:
  void advance(int64_t last);

  ir::Space space_;
  std::vector<Mutable> mutables_;
  std::optional<Architecture> position_;  // decides every label, also those nothing reaches
};

/// What `architecture` is known by: its canonical form or, where it makes no model, itself.
Architecture form_of(const ir::Space& space, const Architecture& architecture);

/// The architectures of `space` that are not in `proposed` (canonical); none in a space of more
/// than 4,096 combinations, where looking for them would take too long.
std::vector<Architecture> left_of(const ir::Space& space, const std::set<Architecture>& proposed);

/// In how many ways `mutables` can be decided, reached or not; none: in more than `limit`.
std::optional<int64_t> n_combinations(const std::vector<Mutable>& mutables, int64_t limit);

}  // namespace retia
