#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "engine/distributed/gradient_average.h"
#include "engine/executor/network.h"
#include "engine/io/checkpoint.h"
#include "engine/io/progress.h"
#include "trainers/data/batches.h"
#include "trainers/loss_scaler.h"
#include "trainers/optimizer.h"
#include "trainers/score.h"
#include "trainers/weight_average.h"

namespace retia {

struct TrainerOptions {
  int64_t epochs = 50;
  int64_t batch_size = 64;        ///< samples of a step, over all ranks
  double label_smoothing = 0;     ///< 0 to 1 (exclusive): Szegedy et al. 2016
  double auxiliary_weight = 0.4;  ///< of the loss of a second output, where the model has one
  int64_t validate_every = 1;     ///< epochs between validations; 0: only at the end
  bool sync_batch_norm = false;   ///< whether several ranks normalise by all their samples together
  int64_t digest_every = 200;     ///< steps until they are compared; 0: only before saving
  int64_t accumulate = 1;  ///< equal parts of a batch that run one after the other, to save memory
  double ema = 0;          ///< decay of the moving average of the weights; 0: none
};
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(TrainerOptions, epochs, batch_size, label_smoothing,
                                                auxiliary_weight, validate_every, sync_batch_norm,
                                                digest_every, accumulate, ema)

/// Throws, naming it, where an option is out of its range.
void check_trainer_options(const TrainerOptions& options);

/// What a training step tells: on the device, so that nothing waits for it.
struct StepStats {
  at::Tensor loss;     ///< mean over the batch, a scalar
  at::Tensor correct;  ///< samples classified right, a scalar
  int64_t n_samples = 0;
};

/// Where a run stands within an epoch.
struct StepReport {
  int64_t epoch = 0, epochs = 0;  ///< this one, counted from 0, and how many
  int64_t step = 0, steps = 0;    ///< done in this epoch, and how many
  int64_t n_samples = 0;          ///< of the step just done
  double loss = 0, accuracy = 0;  ///< mean over the epoch so far
  double images_per_second = 0;   ///< over the epoch so far
};

struct EpochReport {
  int64_t epoch = 0, epochs = 0;
  double loss = 0, accuracy = 0;
  std::optional<Score> validation;
  double lr = 0;
  double seconds = 0, images_per_second = 0;
  double peak_memory = 0;  ///< megabytes of this process, beside those on a GPU
  NamedNumbers more = {};  ///< what the method adds
  /// Of each label of a search, how likely each candidate is, where the method knows.
  std::map<std::string, std::vector<double>> probabilities = {};
  std::string note = {};  ///< a line worth telling, or none
};

/// Who watches a run, and may end it.
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  virtual void on_step(const StepReport&) {}
  virtual void on_epoch(const EpochReport&) {}
  /// Asked after each step; true: the run is saved and ends.
  virtual bool stop_requested() { return false; }
  /// What of the observer's own goes into a checkpoint, and comes back.
  virtual Json state() { return Json::object(); }
  virtual void load_state(const Json&) {}
};

enum class Ending { Finished, Stopped };

/// The training loop, once: epochs, schedule, checkpoints, resuming, reports. Which batch comes
/// when is a function of the seed (see Batches), so a resumed run gives the numbers of an
/// uninterrupted one.
///
/// A network that computes in float16 is trained with a LossScaler. With `ema`, the averages of the
/// weights are what is validated, and what the network has when the training is finished.
///
/// Several ranks train as one: each on its share of every batch (see BatchOptions), with averaged
/// gradients, so that weights, alphas, controllers, statistics, learning rates and samples are the
/// same on all of them, which is compared now and then; what is reported is of all of them.
class Trainer {
 public:
  /// `network` is trained on `train`. Both may be shared with others, who must not change them.
  /// ranks: those that train together, which outlive this; null: this process alone.
  Trainer(Network network, Batches train, const TrainerOptions& options,
          const SgdOptions& weight_optimizer, Ranks* ranks = nullptr);
  virtual ~Trainer() = default;
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  /// Trains from where it stands to the last epoch. Saves to `checkpoints` (may be null) after
  /// every epoch and when stopped. Throws on a loss that is not finite, naming the step, and on
  /// such weights, which are never saved, or where ranks differ; the last checkpoint stays. Any
  /// rank's observer stops all, after the same step; one of them needs `checkpoints`.
  Ending fit(TrainingObserver& observer, CheckpointStore* checkpoints);

  /// Continues where `saved` was made: weights, optimisers, position and what `observer` kept.
  void restore(const Checkpoint& saved, TrainingObserver& observer);

  Network& network() { return network_; }
  const Batches& train_batches() const { return train_; }

  /// Steps done since the beginning.
  int64_t steps_done() const;

 protected:
  /// Step `i` of `epoch`, 0 to steps_per_epoch() - 1.
  virtual StepStats train_step(int64_t epoch, int64_t i) = 0;
  /// Steps of an epoch; more than the training batches in methods with phases.
  virtual int64_t steps_per_epoch() const { return train_.n_batches(); }
  /// How well the network does on what it is not trained on, where that can be said. With averaged
  /// weights, where there are any.
  virtual std::optional<Score> validate() { return std::nullopt; }
  /// Told at the end of an epoch, before it is validated; may add to what is reported.
  virtual void end_epoch(EpochReport&) {}
  /// How likely each candidate of each label is; empty where that says nothing.
  virtual std::map<std::string, std::vector<double>> probabilities() const { return {}; }
  /// Asked then: whether this epoch was the last one, although more were wanted.
  virtual bool ends_early() const { return false; }
  /// All that changes in training, beside the network and the weight optimiser.
  virtual void save(Checkpoint&) {}
  virtual void load(const Checkpoint&) {}

  /// Mean loss over the batch (cross-entropy, and the auxiliary output's), and the logits.
  struct Outcome {
    at::Tensor loss, logits;
  };
  Outcome run(const Batch& batch);

  /// d loss / d of, and nothing else is computed. loss: a scalar.
  Gradients gradients(const at::Tensor& loss, std::span<const at::Tensor> of);

  /// What passes over a batch have made.
  struct Passed {
    Gradients gradients;
    StepStats stats;
  };
  using LossOf = std::function<at::Tensor(const at::Tensor& loss)>;

  /// The same on a batch, in as many parts as `accumulate` says. objective: what the gradients are
  /// of, affine in the mean loss; null: this.
  Passed differentiate(const Batch& batch, std::span<const at::Tensor> of,
                       const LossOf& objective = nullptr);

  /// One step of the weights with those gradients, clipped; none where they have overflowed.
  void step_weights(const Gradients& gradients);
  /// The same with those on `batch`. Returns what a step reports.
  StepStats step_weights(const Batch& batch);

  /// How many epochs are done, with the part of this one.
  double position() const;

  const std::vector<at::Tensor>& weights() const { return weight_optimizer_.parameters(); }
  Optimizer& weight_optimizer() { return weight_optimizer_; }
  Ranks* ranks() const { return ranks_; }
  const TrainerOptions& options() const { return options_; }

 private:
  /// What `make` returns, one each of `of`, averaged over ranks and unscaled: the one place.
  Gradients finished(std::span<const at::Tensor> of,
                     const std::function<std::vector<at::Tensor>()>& make);
  /// Of this rank alone, times the scale of the loss.
  Gradients scaled_gradients(const at::Tensor& loss, std::span<const at::Tensor> of) const;
  Ending train_epoch(int64_t epoch, TrainingObserver& observer);
  void check_weights(int64_t epoch) const;
  bool is_best(const std::optional<Score>& validation);
  Checkpoint checkpoint(TrainingObserver& observer);
  /// Adds a step to the sums over the epoch, and asks whether to stop where ranks must agree on it.
  void count(const StepStats& stats, int64_t epoch, int64_t i, TrainingObserver& observer);
  bool stops(TrainingObserver& observer);
  int64_t n_ranks() const { return ranks_ == nullptr ? 1 : ranks_->size(); }
  void compare_ranks();

  Network network_;
  Batches train_;
  TrainerOptions options_;
  Optimizer weight_optimizer_;
  Ranks* ranks_;
  std::unique_ptr<GradientAverage> average_;  // null: alone
  std::optional<LossScaler> scaler_;          // of float16
  std::optional<WeightAverage> weight_average_;
  std::vector<std::shared_ptr<BatchNormLayer>> norms_;  // whose statistics ranks average
  bool agreed_to_stop_ = false;
  bool has_stepped_ = false;   // the weights, in this step
  int64_t epoch_ = 0;          // the one to train next
  int64_t step_in_epoch_ = 0;  // the one to do next
  struct {
    double loss = 0, correct = 0;  // summed over samples
    int64_t samples = 0;
    double seconds = 0;
  } sums_;
  std::optional<Score> best_;  // of all validations
};

/// The weights of a checkpoint that are to be used: averages where there are any.
NamedTensors trained_weights(const Checkpoint& saved);

/// Entries of `tensors` whose names begin with `prefix`, without it.
NamedTensors with_prefix(const std::map<std::string, at::Tensor>& tensors,
                         const std::string& prefix);

}  // namespace retia
