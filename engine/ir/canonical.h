#pragma once

#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/ir/graph.h"

namespace retia::ir {

/// canonical(), for very many architectures of one space: reads the space once and makes no models,
/// so that a form costs microseconds. Does not notice models whose shapes or parameters do not fit.
class CanonicalForms {
 public:
  explicit CanonicalForms(const Graph& space);

  /// `architecture` without the labels that nothing it selects reaches. Throws on labels the space
  /// does not have and on decisions that are missing, out of range or of the wrong count.
  Architecture of(const Architecture& architecture) const;

  const std::vector<Mutable>& mutables() const { return mutables_; }

  struct Plan;

 private:
  std::vector<Mutable> mutables_;
  std::unordered_set<std::string> labels_;
  std::shared_ptr<const Plan> plan_;
};

}  // namespace retia::ir
