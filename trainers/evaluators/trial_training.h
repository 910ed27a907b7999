#pragma once

#include <optional>

#include "retia/engine/experiment/evaluator.h"
#include "retia/trainers/trainer.h"

namespace retia {

/// The training of a trial's model.
struct TrialTraining {
  Batches train;                      ///< batches that train the weights
  std::optional<Batches> valid = {};  ///< scored after the last epoch; none: no scoring
  int64_t epochs = 1;                 ///< used unless the proposal sets a number
  SgdOptions weight_optimizer = {};   ///< options of SGD, which trains the weights
  bool intermediate = false;          ///< calls `score` even if the trial has no pruning thresholds
  bool keep_weights = false;  ///< keeps weights also of a trial that no other trial can continue
  Direction direction = Direction::Maximise;  ///< direction of the first objective
  /// Returns the first objective after an epoch, after `valid` was scored; null: not evaluated.
  std::function<double(const EpochReport&)> score = nullptr;
};

/// The result of a training.
struct TrainedTrial {
  EpochReport last;  ///< report of the last epoch
  /// Scores after each epoch, including epochs of the trial it continues.
  std::vector<double> intermediate = {};
  bool ended_early = false;  ///< stopped below the pruning thresholds
};

/// Trains `network` for the number of epochs that the proposal says, starting from the weights of
/// the trial that it continues, if any; ends early where `score` falls below the pruning
/// thresholds. Weights of a trial whose proposal sets a number of epochs are kept, since another
/// trial may continue it (see Trial::weights). None: the trial was stopped.
std::optional<TrainedTrial> train_trial(const Network& network, const TrialTraining& training,
                                        const Trial& trial);

/// Adds the intermediate scores, and the number of epochs where the trial ended early, to
/// `evaluation`.
Evaluation with_course(Evaluation evaluation, const TrainedTrial& trained);

/// Returns whether scores after each epoch are needed: for pruning thresholds, or because they are
/// asked for.
inline bool wants_intermediate(const TrialTraining& training, const Trial& trial) {
  return training.intermediate || !trial.floors.empty();
}

/// Returns whether a trial may end after the last epoch of `intermediate` (see Trial::floors). A
/// trial goes on after an epoch whose score is no number.
bool below_floors(const Trial& trial, Direction direction, const std::vector<double>& intermediate);

/// Returns the number of trained parameters.
int64_t n_parameters(const torch::nn::Module& module);

}  // namespace retia
