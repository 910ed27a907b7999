#pragma once

#include "retia/engine/mutables/mutator.h"

namespace retia {

/// Replays one architecture at every reset, and exports it.
class FixedMutator final : public Mutator {
 public:
  /// Throws unless `architecture` is a valid final architecture for exactly the choices of `model`.
  FixedMutator(const torch::nn::Module& model, Architecture architecture);

  Architecture sample_search() override { return architecture_; }
  Architecture sample_final() const override { return architecture_; }

 private:
  Architecture architecture_;
};

}  // namespace retia
