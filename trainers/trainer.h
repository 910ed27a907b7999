#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "retia/engine/distributed/gradient_average.h"
#include "retia/engine/executor/network.h"
#include "retia/engine/io/checkpoint.h"
#include "retia/engine/io/option.h"
#include "retia/engine/io/progress.h"
#include "retia/trainers/data/batches.h"
#include "retia/trainers/loss_scaler.h"
#include "retia/trainers/optimizer.h"
#include "retia/trainers/score.h"
#include "retia/trainers/weight_average.h"

namespace retia {

/// The options of the training loop.
struct TrainerOptions {
  int64_t epochs = 50;
  int64_t batch_size = 64;        ///< samples of a step, over all ranks
  double label_smoothing = 0;     ///< in [0, 1) (Szegedy et al. 2016)
  double auxiliary_weight = 0.4;  ///< weight of the loss of a second output, if the model has one
  int64_t validate_every = 1;     ///< epochs between validations; 0: only at the end
  bool sync_batch_norm = false;   ///< normalise over the samples of all ranks (SyncBatchNorm)
  int64_t digest_every = 200;     ///< steps between comparisons of ranks; 0: only before saving
  int64_t accumulate = 1;  ///< equal parts of a batch that run one after the other, to save memory
  double ema = 0;          ///< decay of the moving average of the weights; 0: no average
};
inline std::vector<Option> declared(TrainerOptions& o) {
  return {
      option("epochs", o.epochs, Range{1, 1e6}, "passes through the training samples"),
      option("batch_size", o.batch_size, Range{1, 1e9}, "samples of a step, over all ranks"),
      option("label_smoothing", o.label_smoothing, Range::from_to_below(0, 1), "label smoothing"),
      option("auxiliary_weight", o.auxiliary_weight, Range{0},
             "weight of the loss of the auxiliary head"),
      option("validate_every", o.validate_every, Range{0, 1e6},
             "epochs between validations; 0: only at the end"),
      option("sync_batch_norm", o.sync_batch_norm, "normalise over all ranks (SyncBatchNorm)"),
      option("digest_every", o.digest_every, Range{0, 1e9},
             "steps between comparisons of ranks; 0: only before saving"),
      option("accumulate", o.accumulate, Range{1, 1e9},
             "gradient accumulation: equal parts of a batch that run one after the other"),
      option("ema", o.ema, Range::from_to_below(0, 1),
             "decay of the moving average of the weights; 0: no average"),
  };
}

/// Throws, naming the option, where one is out of range.
void check_trainer_options(const TrainerOptions& options);

/// The statistics of a training step; tensors on the device, so that the CPU does not wait for
/// them.
struct StepStats {
  at::Tensor loss;        ///< mean over the batch, a scalar
  at::Tensor correct;     ///< number of samples classified correctly, a scalar
  int64_t n_samples = 0;  ///< samples of the step on this rank
};

/// The progress of a run within an epoch.
struct StepReport {
  int64_t epoch = 0;             ///< this epoch, counted from 0
  int64_t epochs = 0;            ///< number of epochs of the run
  int64_t step = 0;              ///< steps completed in this epoch
  int64_t steps = 0;             ///< number of steps in an epoch
  int64_t n_samples = 0;         ///< samples of the last step, over all ranks
  double loss = 0;               ///< mean over the samples of this epoch so far
  double accuracy = 0;           ///< fraction classified correctly in this epoch so far
  double images_per_second = 0;  ///< samples per second in this epoch so far, over all ranks
};

/// The results of one epoch.
struct EpochReport {
  int64_t epoch = 0;                ///< the epoch, counted from 0
  int64_t epochs = 0;               ///< number of epochs of the run
  double loss = 0;                  ///< mean over the training samples
  double accuracy = 0;              ///< fraction of the training samples classified correctly
  std::optional<Score> validation;  ///< score of validate(); none: not validated
  double lr = 0;                    ///< learning rate of the weights at the start of the epoch
  double seconds = 0;               ///< seconds of training and validation
  double images_per_second = 0;     ///< training samples per second, without validation
  double peak_memory = 0;           ///< MiB of this process, GPU memory not included
  NamedNumbers more = {};           ///< further numbers that the method reports
  /// Label → probability of each candidate; empty unless the run is a search that has them.
  std::map<std::string, std::vector<double>> probabilities = {};
  std::string note = {};  ///< a line for the user; empty: none
};

/// Watches a training run, and may stop it.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  /// Called after each step.
  virtual void on_step(const StepReport&) {}
  /// Called after each epoch and its validation, before the checkpoint is saved.
  virtual void on_epoch(const EpochReport&) {}
  /// Polled after each step; true: the run is saved and stops.
  virtual bool stop_requested() { return false; }
  /// Returns the observer's own state, which is saved in checkpoints.
  virtual Json state() { return Json::object(); }
  /// Restores what state() returned.
  virtual void load_state(const Json&) {}
  /// Asked where a checkpoint could not be written: returns whether the files of the run have gone,
  /// so that state(), which makes their folder again, and the checkpoint are tried once more.
  virtual bool has_lost_files() { return false; }
};

/// The error of a training whose loss or weights became infinite or NaN.
class Divergence : public c10::Error {
 public:
  using c10::Error::Error;
};

/// The ways in which a training ends.
enum class Ending { Finished, Stopped };

/// The training loop: epochs, schedule, checkpoints, resuming, reports. The order of batches is a
/// function of the seed (see Batches), so a resumed run gives the same numbers as an uninterrupted
/// one.
///
/// A network that computes in float16 is trained with a LossScaler. With `ema`, the moving averages
/// of the weights are validated, and the network has them when the training has finished.
///
/// Several ranks train as one (data parallel): each on its share of every batch (see BatchOptions),
/// with averaged gradients, so that weights, alphas, controllers, statistics and learning rates are
/// the same on all ranks; this is checked regularly. Reports cover the samples of all ranks.
class Trainer {
 public:
  /// Trains `network` on `train`, which other objects may share but must not change.
  /// `ranks`: the ranks that train together, which must outlive this object; null: this process
  /// alone.
  Trainer(Network network, Batches train, const TrainerOptions& options,
          const SgdOptions& weight_optimizer, Ranks* ranks = nullptr);
  virtual ~Trainer() = default;
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Trains from the current position to the last epoch. Saves to `checkpoints` (may be null) after
  /// every epoch and when stopped. Throws a Divergence on a loss that is not finite, naming the step; on weights
  /// that are not finite, which are never saved; and where ranks differ. The last checkpoint stays
  /// in all these cases. A stop request on any rank stops all ranks after the same step; only one
  /// rank needs `checkpoints`.
  Ending fit(TrainingObserver& observer, CheckpointStore* checkpoints);

  /// Restores weights, optimizers, position and the observer's state from a checkpoint.
  void restore(const Checkpoint& saved, TrainingObserver& observer);

  /// Returns the network that is trained.
  Network& network() { return network_; }
  /// Returns the batches that train the weights.
  const Batches& train_batches() const { return train_; }

  /// Returns the number of steps since the beginning.
  int64_t steps_done() const;

  /// Trains step `i` of `epoch`, in 0 … steps_per_epoch() - 1. Each method says here what a step
  /// is; `fit` calls it.
  virtual StepStats train_step(int64_t epoch, int64_t i) = 0;
  /// Returns the number of steps in an epoch; more than the training batches for methods with
  /// phases.
  virtual int64_t steps_per_epoch() const { return train_.n_batches(); }

 protected:
  /// Called before the first step of an epoch, and before the first one after a restart.
  virtual void begin_epoch(int64_t) {}
  /// Returns the score on samples that do not train the network, if possible. Called with averaged
  /// weights if `ema` is set.
  virtual std::optional<Score> validate() { return std::nullopt; }
  /// Called at the end of an epoch, before validation; may add to the report.
  virtual void end_epoch(EpochReport&) {}
  /// Returns label → probability of each candidate; empty where the method has none.
  virtual std::map<std::string, std::vector<double>> probabilities() const { return {}; }
  /// Returns, at the end of an epoch, whether training ends although more epochs were asked for.
  virtual bool ends_early() const { return false; }
  /// Adds state other than the network and the weight optimizer to a checkpoint.
  virtual void save(Checkpoint&) {}
  /// Restores what save() has added. Throws where the checkpoint is of another method.
  virtual void load(const Checkpoint&) {}

  /// The loss and the outputs of the network on a batch.
  struct LossAndLogits {
    /// The mean over the batch, a scalar: cross-entropy of classes or squared error of numbers;
    /// plus `auxiliary_weight` times the loss of each further output.
    at::Tensor loss;
    at::Tensor logits;  ///< first output: [b, n_outputs]
  };
  /// Runs the network on a batch.
  LossAndLogits forward(const Batch& batch);

  /// Returns d loss / d of, and computes no other gradients. `loss`: a scalar.
  Gradients gradients(const at::Tensor& loss, std::span<const at::Tensor> of);

  /// The results of the passes over one batch.
  struct Passed {
    Gradients gradients;  ///< averaged over ranks, without loss scale
    StepStats stats;      ///< statistics of this rank's share of the batch
  };
  /// A function of the mean loss over a batch: a scalar from a scalar.
  using LossOf = std::function<at::Tensor(const at::Tensor& loss)>;

  /// Returns the gradients in `of` on a batch, run in as many parts as `accumulate` says.
  /// `objective`: the function of the mean loss to differentiate, which must be affine; null: the
  /// mean loss itself.
  Passed differentiate(const Batch& batch, std::span<const at::Tensor> of,
                       const LossOf& objective = nullptr);

  /// Takes one step of the weights with these gradients, clipped; does nothing where they
  /// overflowed.
  void step_weights(const Gradients& gradients);
  /// Takes one step of the weights with the gradients on `batch`. Returns its statistics.
  StepStats step_weights(const Batch& batch);

  /// Returns the number of epochs completed, including the fraction of the current one.
  double position() const;

  /// Returns the network's parameters, in the order of their names.
  const std::vector<at::Tensor>& weights() const { return weight_optimizer_.parameters(); }
  /// Returns the optimizer of the weights.
  Optimizer& weight_optimizer() { return weight_optimizer_; }
  /// Returns the ranks that train together; null: this process alone.
  Ranks* ranks() const { return ranks_; }
  /// Returns the options of the training loop.
  const TrainerOptions& options() const { return options_; }

 private:
  /// Averages the gradients that `make` returns, one per tensor of `of`, over ranks and removes the
  /// loss scale. All gradients pass through this function.
  Gradients finished(std::span<const at::Tensor> of,
                     const std::function<std::vector<at::Tensor>()>& make);
  /// Returns the gradients of this rank alone, of the scaled loss.
  Gradients scaled_gradients(const at::Tensor& loss, std::span<const at::Tensor> of) const;
  Ending train_epoch(int64_t epoch, TrainingObserver& observer);
  void check_weights(int64_t epoch) const;
  bool is_best(const std::optional<Score>& validation);
  Checkpoint checkpoint(TrainingObserver& observer);
  /// Adds a step to the sums over the epoch; with several ranks also agrees on whether to stop.
  void count(const StepStats& stats, int64_t epoch, int64_t i, TrainingObserver& observer);
  bool stops(TrainingObserver& observer);
  int64_t n_ranks() const { return ranks_ == nullptr ? 1 : ranks_->size(); }
  void compare_ranks();

  Network network_;
  Batches train_;
  TrainerOptions options_;
  Optimizer weight_optimizer_;
  Ranks* ranks_;
  std::unique_ptr<GradientAverage> average_;  // null: this process alone
  std::optional<LossScaler> scaler_;          // set for float16
  std::optional<WeightAverage> weight_average_;
  // Batch normalisations whose statistics are averaged over ranks.
  std::vector<std::shared_ptr<BatchNormLayer>> norms_;
  bool agreed_to_stop_ = false;
  bool has_stepped_ = false;   // the weights have changed in this step
  int64_t epoch_ = 0;          // next epoch to train
  int64_t step_in_epoch_ = 0;  // next step to train
  struct {
    double loss = 0, correct = 0;  // summed over samples
    int64_t samples = 0;
    double seconds = 0;
  } sums_;
  std::optional<Score> best_;  // best validation score so far
};

/// Returns the weights of a checkpoint to be used: the averaged ones if there are any.
NamedTensors trained_weights(const Checkpoint& saved);

/// Returns the entries of `tensors` whose names begin with `prefix`, with the prefix removed.
NamedTensors with_prefix(const std::map<std::string, at::Tensor>& tensors,
                         const std::string& prefix);

}  // namespace retia
