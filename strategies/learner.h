#pragma once

#include "retia/engine/experiment/strategy.h"

namespace retia {

/// A strategy that also learns from architectures which it has not proposed itself.
class Learner {
 public:
  virtual ~Learner() = default;

  /// Takes the outcome of an architecture, in canonical form, that somebody else has tried.
  virtual void learn(const Architecture& architecture, const Outcome& outcome) = 0;
};

}  // namespace retia
