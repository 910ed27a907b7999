#include "trainers/trainer.h"

#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/zeros.h>

#include <chrono>
#include <cmath>

#include "engine/distributed/digest.h"
#include "engine/io/memory.h"

namespace retia {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Mean over the batch: cross-entropy of classes, squared error of numbers.
at::Tensor loss_of(const at::Tensor& output, const at::Tensor& targets, double label_smoothing) {
  return targets.is_floating_point()
             ? at::mse_loss(output.squeeze(1), targets)
             : at::cross_entropy_loss(output, targets, {}, at::Reduction::Mean, -100,
                                      label_smoothing);
}

/// How many samples are classified right; of numbers none.
at::Tensor n_correct(const at::Tensor& output, const at::Tensor& targets) {
  return targets.is_floating_point() ? at::zeros({}, targets.options().dtype(at::kLong))
                                     : output.argmax(1).eq(targets).sum();
}

void put(Checkpoint& checkpoint, const std::string& prefix, const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) {
    checkpoint.tensors[prefix + name] = tensor;
  }
}

/// Throws, naming the step, unless `is_finite`.
void check_finite(bool is_finite, const char* what, int64_t epoch, int64_t steps) {
  TORCH_CHECK(is_finite, what, " became infinite or NaN at step ", steps, " of epoch ", epoch + 1,
              ": lower the learning rate (--set weight_optimizer.lr=…); the last checkpoint is "
              "kept");
}

}  // namespace

NamedTensors with_prefix(const std::map<std::string, at::Tensor>& tensors,
                         const std::string& prefix) {
  NamedTensors found;
  for (const auto& [name, tensor] : tensors) {
    if (name.compare(0, prefix.size(), prefix) == 0) {
      found[name.substr(prefix.size())] = tensor;
    }
  }
  return found;
}

void check_trainer_options(const TrainerOptions& options) {
  TORCH_CHECK(options.epochs >= 1, "trainer: epochs must be at least 1, got ", options.epochs);
  TORCH_CHECK(options.label_smoothing >= 0 && options.label_smoothing < 1,
              "trainer: label_smoothing must be at least 0 and below 1, got ",
              options.label_smoothing);
  TORCH_CHECK(options.validate_every >= 0, "trainer: validate_every must be at least 0, got ",
              options.validate_every);
  TORCH_CHECK(options.digest_every >= 0, "trainer: digest_every must be at least 0, got ",
              options.digest_every);
}

Trainer::Trainer(Network network, Batches train, const TrainerOptions& options,
                 const SgdOptions& weight_optimizer, Ranks* ranks)
    : network_(std::move(network)),
      train_(std::move(train)),
      options_(options),
      weight_optimizer_(Optimizer::sgd(named_parameters(*network_), weight_optimizer)),
      ranks_(ranks) {
  check_trainer_options(options);
  if (ranks_ != nullptr) {
    average_ = std::make_unique<GradientAverage>(*ranks_);
    norms_ = norms_of(*network_);
    network_->synchronise(options.sync_batch_norm ? ranks_ : nullptr);
  }
}

int64_t Trainer::steps_done() const { return epoch_ * steps_per_epoch() + step_in_epoch_; }

Ending Trainer::fit(TrainingObserver& observer, CheckpointStore* checkpoints) {
  const auto save_now = [&](bool best) {
    if (checkpoints != nullptr) {
      Checkpoint saved = checkpoint(observer);
      saved.state["is_best"] = best;  // for one that is killed before it is marked
      checkpoints->save(steps_done(), saved);
    }
  };
  compare_ranks();
  while (epoch_ < options_.epochs && !ends_early()) {
    const double lr = weight_optimizer_.schedule(static_cast<double>(epoch_) /
                                                 static_cast<double>(options_.epochs));
    const double began = now(), started = began - sums_.seconds;
    const double waited = ranks_ == nullptr ? 0 : ranks_->seconds_waited();
    const Ending ending = train_epoch(epoch_, observer);
    check_weights(epoch_);
    if (ending == Ending::Stopped) {
      compare_ranks();
      save_now(false);
      return Ending::Stopped;
    }
    const auto samples = static_cast<double>(std::max<int64_t>(sums_.samples, 1));
    const double trained = now() - started;
    EpochReport report{
        epoch_, options_.epochs,  sums_.loss / samples, sums_.correct / samples, std::nullopt, lr,
        0,      samples / trained};
    if (ranks_ != nullptr) {
      report.more.emplace_back("communication",
                               (ranks_->seconds_waited() - waited) / (now() - began));
    }
    end_epoch(report);
    const bool last = epoch_ + 1 == options_.epochs || ends_early();
    const int64_t every = options_.validate_every;
    if (last || (every > 0 && (epoch_ + 1) % every == 0)) {
      report.validation = validate();
      check_finite(!report.validation || std::isfinite(report.validation->loss),
                   "the validation loss", epoch_, step_in_epoch_);
    }
    report.probabilities = probabilities();
    report.peak_memory = take_peak_memory();
    report.seconds = now() - started;
    compare_ranks();
    ++epoch_;
    step_in_epoch_ = 0;
    sums_ = {};
    observer.on_epoch(report);
    const bool best = is_best(report.validation);
    save_now(best);
    if (best && checkpoints != nullptr) {
      checkpoints->mark_best(steps_done());
    }
    if (!last &&
        (ranks_ != nullptr ? ranks_->any(observer.stop_requested()) : observer.stop_requested())) {
      return Ending::Stopped;
    }
  }
  return Ending::Finished;
}

Ending Trainer::train_epoch(int64_t epoch, TrainingObserver& observer) {
  const double started = now() - sums_.seconds;
  network_->train();
  const int64_t steps = steps_per_epoch();
  while (step_in_epoch_ < steps) {
    const StepStats stats = train_step(epoch, step_in_epoch_);
    count(stats, epoch, step_in_epoch_, observer);
    ++step_in_epoch_;
    sums_.seconds = now() - started;
    const auto samples = static_cast<double>(std::max<int64_t>(sums_.samples, 1));
    observer.on_step({epoch, options_.epochs, step_in_epoch_, steps, stats.n_samples * n_ranks(),
                      sums_.loss / samples, sums_.correct / samples, samples / sums_.seconds});
    if (options_.digest_every > 0 && steps_done() % options_.digest_every == 0) {
      compare_ranks();
    }
    if (step_in_epoch_ < steps && stops(observer)) {
      return Ending::Stopped;
    }
  }
  return Ending::Finished;
}

void Trainer::count(const StepStats& stats, int64_t epoch, int64_t i, TrainingObserver& observer) {
  double loss = stats.loss.item<double>(), correct = stats.correct.item<double>();
  if (ranks_ != nullptr) {
    // Shares are of equal size, so the mean over ranks is that over samples.
    double sums[] = {loss, correct, observer.stop_requested() ? 1.0 : 0.0};
    ranks_->sum(at::from_blob(sums, {3}, at::kDouble));
    loss = sums[0] / static_cast<double>(n_ranks());
    correct = sums[1];
    agreed_to_stop_ = sums[2] > 0;
    average_statistics(norms_, *ranks_);
  }
  check_finite(std::isfinite(loss), "the loss", epoch, i + 1);
  const int64_t n = stats.n_samples * n_ranks();
  sums_.loss += loss * static_cast<double>(n);
  sums_.correct += correct;
  sums_.samples += n;
}

bool Trainer::stops(TrainingObserver& observer) {
  return ranks_ != nullptr ? agreed_to_stop_ : observer.stop_requested();
}

void Trainer::compare_ranks() {
  if (ranks_ == nullptr) {
    return;
  }
  TrainingObserver nobody;
  Checkpoint all = checkpoint(nobody);
  all.state.erase("seconds");
  all.state["lr"] = weight_optimizer_.lr();
  check_agreement(*ranks_, all.tensors, all.state.dump(), c10::str("after step ", steps_done()));
}

void Trainer::check_weights(int64_t epoch) const {
  for (const at::Tensor& weight : weights()) {
    check_finite(weight.isfinite().all().item<bool>(), "a weight", epoch, step_in_epoch_);
  }
}

bool Trainer::is_best(const std::optional<Score>& validation) {
  const auto rank = [](const Score& score) { return std::pair(score.accuracy, -score.loss); };
  if (!validation || (best_ && rank(*best_) >= rank(*validation))) {
    return false;
  }
  best_ = validation;
  return true;
}

Trainer::Outcome Trainer::run(const Batch& batch) {
  network_->prepare(batch.sample_keys,
                    static_cast<double>(epoch_) / static_cast<double>(options_.epochs));
  const std::vector<at::Tensor> outputs = network_->run(batch.inputs);
  const double smoothing = options_.label_smoothing;
  at::Tensor loss = loss_of(outputs.front(), batch.targets, smoothing);
  for (size_t i = 1; i < outputs.size(); ++i) {
    loss = loss + options_.auxiliary_weight * loss_of(outputs[i], batch.targets, smoothing);
  }
  return {loss, outputs.front()};
}

Gradients Trainer::gradients(const at::Tensor& loss, std::span<const at::Tensor> of) {
  if (!average_) {
    return retia::gradients(loss, of);
  }
  return {{of.begin(), of.end()},
          (*average_)(of, [&] { return retia::gradients(loss, of).values; })};
}

StepStats Trainer::add_weight_gradients(const Batch& batch, Gradients& sum) {
  const Outcome outcome = run(batch);
  Gradients added = gradients(outcome.loss, weights());
  const at::NoGradGuard no_grad;
  if (sum.of.empty()) {
    sum = std::move(added);
  } else {
    for (size_t i = 0; i < sum.values.size(); ++i) {
      at::Tensor& value = sum.values[i];
      const at::Tensor& more = added.values[i];
      // Not in place: autograd may hand out one tensor for several parameters.
      value = value.defined() && more.defined() ? value + more : more.defined() ? more : value;
    }
  }
  return {outcome.loss.detach(), n_correct(outcome.logits, batch.targets), batch.size()};
}

StepStats Trainer::step_weights(const Batch& batch) {
  Gradients found;
  const StepStats stats = add_weight_gradients(batch, found);
  weight_optimizer_.step(found);
  return stats;
}

Checkpoint Trainer::checkpoint(TrainingObserver& observer) {
  Checkpoint saved;
  put(saved, "network/", weights_of(*network_));
  put(saved, "weight_optimizer/", weight_optimizer_.state());
  saved.state = {{"epoch", epoch_},
                 {"step", step_in_epoch_},
                 {"loss", sums_.loss},
                 {"correct", sums_.correct},
                 {"samples", sums_.samples},
                 {"seconds", sums_.seconds},
                 {"observer", observer.state()}};
  if (best_) {
    saved.state["best"] = {{"loss", best_->loss}, {"accuracy", best_->accuracy}};
  }
  save(saved);
  return saved;
}

void Trainer::restore(const Checkpoint& saved, TrainingObserver& observer) {
  copy_weights(with_prefix(saved.tensors, "network/"), *network_);
  weight_optimizer_.load_state(with_prefix(saved.tensors, "weight_optimizer/"));
  epoch_ = saved.state.at("epoch");
  step_in_epoch_ = saved.state.at("step");
  sums_ = {saved.state.at("loss"), saved.state.at("correct"), saved.state.at("samples"),
           saved.state.at("seconds")};
  if (const auto best = saved.state.find("best"); best != saved.state.end()) {
    best_ = Score{.loss = best->at("loss"), .accuracy = best->at("accuracy")};
  }
  observer.load_state(saved.state.at("observer"));
  load(saved);
}

}  // namespace retia
