#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

#include "retia/engine/ir/graph.h"

namespace retia::ir {

/// Computes canonical() for very many architectures of one space. The space is read once and no
/// models are made, so that one form costs microseconds. Models whose shapes or parameters do not
/// fit are not noticed.
class CanonicalForms {
 public:
  /// Reads `space` once; it is not needed afterwards.
  explicit CanonicalForms(const Graph& space);

  /// Returns `architecture` without the labels that the selected model does not use. Throws on
  /// labels that the space does not have and on decisions that are missing, out of range or of the
  /// wrong count.
  Architecture of(const Architecture& architecture) const;

  /// Returns the same; none where no model has an operation as `architecture` decides it (see
  /// OperationKind::obstacle).
  std::optional<Architecture> find(const Architecture& architecture) const;

  /// Returns all choices of the space, one per label.
  const std::vector<Mutable>& mutables() const { return mutables_; }

  struct Outline;

 private:
  /// Returns the canonical form, or why there is none.
  std::variant<Architecture, std::string> form_or_obstacle(const Architecture& architecture) const;

  std::vector<Mutable> mutables_;
  std::unordered_set<std::string> labels_;
  std::shared_ptr<const Outline> outline_;
};

}  // namespace retia::ir
