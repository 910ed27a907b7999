#pragma once

#include <memory>
#include <vector>

#include "retia/engine/base/json.h"
#include "retia/engine/base/random.h"
#include "retia/engine/cost/window.h"
#include "retia/engine/space/space.h"

namespace retia {

/// The set from which a strategy proposes: the architectures of a space that a filter admits. Cheap
/// to copy.
class Domain {
 public:
  /// `admits`: a filter of canonical architectures, and of architectures without a valid model (see
  /// Space::find_model); null admits all.
  Domain(ir::Space space, ir::Filter admits = nullptr);  // NOLINT: every space is one
  /// Admits all architectures of `space`, a graph with choices.
  Domain(ir::Graph space);  // NOLINT

  /// Returns all choices of the space, one per label.
  const std::vector<Mutable>& mutables() const;

  /// Returns the canonical form of `architecture`; `architecture` itself where it has no valid
  /// model.
  Architecture form(const Architecture& architecture) const;

  /// Returns whether the canonical architecture `form` may be proposed.
  bool admits(const Architecture& form) const;

  /// Returns uniform decisions for all labels: each candidate of a choice, and each set of n_chosen
  /// inputs, equally likely; where any number may be chosen, each input with probability 1/2.
  Architecture sample(Random& random) const;

  /// Returns `parent` with each decision drawn anew with `probability` (the result may be the
  /// same), and with new decisions for labels that the parent does not decide.
  Architecture mutated(const Architecture& parent, double probability, Random& random) const;

  /// Returns a child that takes each decision from `a` or `b` with probability 1/2; from the one
  /// that decides it where only one does; drawn anew where neither does.
  Architecture crossed(const Architecture& a, const Architecture& b, Random& random) const;

  /// Returns the decisions as a JSON object (see choices_to_json).
  Json to_json(const Architecture& architecture) const;
  /// Reads what to_json returned. Throws, naming the label, where an entry does not fit the space.
  Architecture from_json(const Json& json) const;

 private:
  struct Contents;
  std::shared_ptr<const Contents> contents_;
};

}  // namespace retia
