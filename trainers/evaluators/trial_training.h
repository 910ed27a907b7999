#pragma once

#include <optional>

#include "engine/evaluator.h"
#include "trainers/trainer.h"

namespace retia {

/// How a trial's model is trained.
struct TrialTraining {
  Batches train;
  std::optional<Batches> valid;  ///< scored after the last epoch; none: nothing is
  int64_t epochs = 1;            ///< unless the proposal says
  SgdOptions weight_optimizer = {};
  bool keep_weights = false;                  ///< also of a trial that no other can continue
  Direction direction = Direction::Maximise;  ///< of the first objective
  /// The first objective after an epoch, in which `valid` is scored then; null: nobody asks.
  std::function<double(const EpochReport&)> score = nullptr;
};

/// What came of it.
struct TrainedTrial {
  EpochReport last;                       ///< of the last epoch
  std::vector<double> intermediate = {};  ///< what `score` said, of former trials' epochs too
  bool ended_early = false;               ///< below the trial's floors
};

/// Trains `network` for as many epochs as the trial's proposal says, going on from the weights of
/// the trial that it continues; fewer where `score` falls below the trial's floors. A trial of a
/// number of epochs of its own may be continued, so its weights are kept: see Trial::weights. None:
/// it was stopped.
std::optional<TrainedTrial> train_trial(const Network& network, const TrialTraining& training,
                                        const Trial& trial);

/// What became of a trial, with how it went.
Evaluation with_course(Evaluation evaluation, const TrainedTrial& trained);

/// Whether somebody wants to know how a trial does after each epoch: its floors, or `asked`.
inline bool wants_intermediate(const Trial& trial, bool asked) {
  return asked || !trial.floors.empty();
}

/// Whether a trial may end after the last epoch of `intermediate` (see Trial::floors).
bool below_floors(const Trial& trial, Direction direction, const std::vector<double>& intermediate);

/// Numbers that are trained.
int64_t n_parameters(const torch::nn::Module& module);

}  // namespace retia
