#include "trainers/one_shot/single_path_trainer.h"

#include <set>

#include "engine/ir/freeze.h"

namespace retia {

SinglePathTrainer::SinglePathTrainer(const SearchSetup& setup, Mutator& mutator,
                                     const SinglePathOptions& options)
    : OneShotTrainer(setup, mutator), options_(options) {
  TORCH_CHECK(options.n_candidates >= 1, "algorithm: n_candidates must be at least 1, got ",
              options.n_candidates);
  TORCH_CHECK(options.recalibration_batches >= 0,
              "algorithm: recalibration_batches must be at least 0, got ",
              options.recalibration_batches);
}

StepStats SinglePathTrainer::step_of_epoch(int64_t epoch, int64_t i) {
  const Batch train = train_batches().batch(epoch, i);
  return train_step(train, train);
}

StepStats SinglePathTrainer::train_step(const Batch& train, const Batch&) {
  mutator().reset();
  return step_weights(train);
}

Architecture SinglePathTrainer::export_architecture() {
  const Json sampler = mutator().state();
  std::set<Architecture> scored;
  Architecture best;
  double best_accuracy = -1;
  for (int64_t i = 0; i < options_.n_candidates; ++i) {
    const Architecture candidate = mutator().sample_search();
    if (!scored.insert(ir::canonical(network()->graph(), candidate)).second) {
      continue;
    }
    Network model = inherit(network(), candidate);
    recalibrate(model, train_batches(), options_.recalibration_batches);
    const double accuracy = evaluate(model, scoring_batches()).accuracy;
    if (accuracy > best_accuracy) {
      best_accuracy = accuracy;
      best = candidate;
    }
  }
  mutator().load_state(sampler);
  return best;
}

}  // namespace retia
