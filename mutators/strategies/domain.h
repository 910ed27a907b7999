#pragma once

#include <memory>
#include <vector>

#include "engine/ir/space.h"
#include "engine/ir/window.h"
#include "engine/json.h"
#include "engine/random.h"

namespace retia {

/// What a strategy may propose: the architectures of a space that a filter admits. Cheap to copy.
class Domain {
 public:
  /// admits: asked about canonical architectures; null: all may be proposed. Where it throws, the
  /// architecture makes no model, and is not admitted.
  Domain(ir::Space space, ir::Filter admits = nullptr);  // NOLINT: every space is one
  Domain(ir::Graph space);                               // NOLINT

  const std::vector<Mutable>& mutables() const;

  /// What `architecture` is known by: its canonical form or, where it makes no model, itself.
  Architecture form(const Architecture& architecture) const;

  /// Whether a canonical architecture may be proposed.
  bool admits(const Architecture& form) const;

  /// Uniform decisions for all labels: each candidate of a choice, and each set of n_chosen inputs,
  /// is equally likely; where any number may be chosen, each input with probability 1/2.
  Architecture sample(Random& random) const;

  /// `parent` with each decision drawn anew, perhaps as it was, with `probability`; so too where
  /// the parent decides nothing.
  Architecture mutated(const Architecture& parent, double probability, Random& random) const;

  /// Each decision from one of two parents with probability 1/2; uniform where neither decides.
  Architecture crossed(const Architecture& a, const Architecture& b, Random& random) const;

  Json to_json(const Architecture& architecture) const;
  Architecture from_json(const Json& json) const;

 private:
  struct Contents;
  std::shared_ptr<const Contents> contents_;
};

}  // namespace retia
