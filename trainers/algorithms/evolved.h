#pragma once

#include "retia/engine/cost/window.h"
#include "retia/strategies/spos_evolution.h"
#include "retia/trainers/one_shot/single_path_trainer.h"

namespace retia {

/// The options of searches that end with an evolution.
struct EvolvedOptions {
  SposEvolutionOptions evolution = {};
  ir::Window window = {};               ///< limits on the cost of an architecture
  int64_t recalibration_batches = 200;  ///< 20,000 images in the paper
  PenaltyOptions penalty = {};
};
inline std::vector<Option> declared(EvolvedOptions& o) {
  return {
      option("evolution", o.evolution, "evolution of architectures at the end"),
      option("window", o.window, "cost limits of architectures"),
      option("recalibration_batches", o.recalibration_batches, Range{0, 1e9},
             "batches to recalibrate batch normalisations by; 0: none"),
      option("penalty", o.penalty, "cost penalty of the accuracy by which they are scored"),
  };
}

/// Returns a function that makes the evolution, for SinglePathTrainer. Warns where the table of
/// latencies was measured under other conditions.
MakeStrategy evolution(const EvolvedOptions& options, const SearchSetup& setup, uint64_t seed);

/// Returns the options of a SinglePathTrainer whose final search is the evolution.
SinglePathOptions with_evolution(const EvolvedOptions& options, int64_t paths_per_step);

}  // namespace retia
