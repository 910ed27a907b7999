#include "retia/trainers/trainer.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <cmath>

#include "retia/engine/base/clock.h"
#include "retia/engine/base/device.h"
#include "retia/engine/distributed/digest.h"
#include "retia/engine/io/memory.h"
#include "retia/trainers/data/description.h"

namespace retia {
namespace {

constexpr const char* kNetwork = "network/";
constexpr const char* kAverage = "average/";  // of the weights
constexpr const char* kLossScaler = "loss_scaler";

/// Mean over the batch: cross-entropy of classes, squared error of numbers.
at::Tensor loss_of(const at::Tensor& output, const at::Tensor& targets, double label_smoothing) {
  return targets.is_floating_point()
             ? at::mse_loss(output.squeeze(1), targets)
             : at::cross_entropy_loss(output, targets, {}, at::Reduction::Mean, -100,
                                      label_smoothing);
}

/// Returns the number of samples classified correctly; zero for regression.
at::Tensor n_correct(const at::Tensor& output, const at::Tensor& targets) {
  return targets.is_floating_point() ? at::zeros({}, targets.options().dtype(at::kLong))
                                     : output.argmax(1).eq(targets).sum();
}

void put(Checkpoint& checkpoint, const std::string& prefix, const NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors) {
    checkpoint.tensors[prefix + name] = tensor;
  }
}

/// Returns the communication since `before`: the fraction of `seconds` spent waiting, and, by
/// purpose, this fraction, calls per step and bytes per step.
NamedNumbers traffic_since(const std::array<Traffic, 3>& before, const Ranks& ranks, double seconds,
                           int64_t steps) {
  constexpr const char* kNames[] = {"gradients", "statistics", "agreement"};
  NamedNumbers numbers = {{"communication", 0}};
  const auto per_step = [&](int64_t n) {
    return static_cast<double>(n) / static_cast<double>(std::max<int64_t>(steps, 1));
  };
  for (size_t i = 0; i < before.size(); ++i) {
    const Traffic& now = ranks.traffic()[i];
    const double waited = (now.seconds - before[i].seconds) / seconds;
    numbers.front().second += waited;
    const std::string name = std::string("communication_") + kNames[i];
    numbers.emplace_back(name, waited);
    numbers.emplace_back(name + "_calls", per_step(now.calls - before[i].calls));
    numbers.emplace_back(name + "_bytes", per_step(now.bytes - before[i].bytes));
  }
  return numbers;
}

/// Throws a Divergence, naming the step, unless `is_finite`.
void check_finite(bool is_finite, const char* what, int64_t epoch, int64_t steps) {
  if (!is_finite) {
    throw Divergence(
        {__func__, __FILE__, __LINE__},
        c10::str(what, " became infinite or NaN at step ", steps, " of epoch ", epoch + 1,
                 ": lower the learning rate (--set weight_optimizer.lr=…); the last "
                 "checkpoint is kept"));
  }
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

void check_trainer_options(const TrainerOptions& options) { check_declared(options, "trainer"); }

Trainer::Trainer(Network network, Batches train, const TrainerOptions& options,
                 const SgdOptions& weight_optimizer, Ranks* ranks)
    : network_(std::move(network)),
      train_(std::move(train)),
      options_(options),
      weight_optimizer_(Optimizer::sgd(named_parameters(*network_), weight_optimizer)),
      ranks_(ranks) {
  check_trainer_options(options);
  const int64_t share = train_.options().batch_size / n_ranks();
  TORCH_CHECK(share % options.accumulate == 0, "trainer: accumulate: ", share, " samples of a step",
              ranks_ == nullptr ? "" : " on each rank", " cannot be cut into ", options.accumulate,
              " equal parts: give another --batch-size");
  if (network_->precision() == at::kHalf) {
    scaler_.emplace(train_.options().device);
  }
  if (options.ema > 0) {
    weight_average_.emplace(*network_, options.ema);
  }
  if (ranks_ != nullptr) {
    average_ = std::make_unique<GradientAverage>(*ranks_);
    norms_ = norms_of(*network_);
    network_->synchronise(options.sync_batch_norm ? ranks_ : nullptr);
  }
}

int64_t Trainer::steps_done() const { return epoch_ * steps_per_epoch() + step_in_epoch_; }

double Trainer::position() const {
  return static_cast<double>(epoch_) +
         static_cast<double>(step_in_epoch_) / static_cast<double>(steps_per_epoch());
}

Ending Trainer::fit(TrainingObserver& observer, CheckpointStore* checkpoints) {
  const auto write = [&](bool best) {
    Checkpoint saved = checkpoint(observer);
    saved.state["is_best"] = best;  // for one that is killed before it is marked
    checkpoints->save(steps_done(), saved);
    if (best) {
      checkpoints->mark_best(steps_done());
    }
  };
  const auto save_now = [&](bool best) {
    if (checkpoints == nullptr) {
      return;
    }
    try {
      write(best);
    } catch (const std::exception&) {
      if (!observer.has_lost_files()) {
        throw;
      }
      write(best);  // into a folder that the observer has made again for its state
    }
  };
  compare_ranks();
  while (epoch_ < options_.epochs && !ends_early()) {
    const double lr = weight_optimizer_.schedule(static_cast<double>(epoch_), options_.epochs);
    const double began = now(), started = began - sums_.seconds;
    const auto told = ranks_ == nullptr ? std::array<Traffic, 3>{} : ranks_->traffic();
    const int64_t first_step = step_in_epoch_;
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
      report.more = traffic_since(told, *ranks_, now() - began, step_in_epoch_ - first_step);
    }
    if (scaler_) {
      report.more.emplace_back("loss_scale", scaler_->scale());
      report.more.emplace_back("skipped_steps", static_cast<double>(scaler_->n_overflows()));
      scaler_->start_counting();
    }
    end_epoch(report);
    const bool last = epoch_ + 1 == options_.epochs || ends_early();
    const int64_t every = options_.validate_every;
    if (last || (every > 0 && (epoch_ + 1) % every == 0)) {
      std::optional<WeightAverage::InUse> averaged;
      if (weight_average_) {
        averaged.emplace(*weight_average_);
      }
      report.validation = validate();
      check_finite(!report.validation || std::isfinite(report.validation->loss),
                   "the validation loss", epoch_, step_in_epoch_);
    }
    report.probabilities = probabilities();
    report.peak_memory = take_peak_memory();
    if (const at::Device device = train_.options().device; device.is_cuda()) {
      report.more.emplace_back("gpu_peak_memory", take_peak_memory(device));
    }
    report.seconds = now() - started;
    compare_ranks();
    ++epoch_;
    step_in_epoch_ = 0;
    sums_ = {};
    observer.on_epoch(report);
    save_now(is_best(report.validation));
    if (!last &&
        (ranks_ != nullptr ? ranks_->any(observer.stop_requested()) : observer.stop_requested())) {
      return Ending::Stopped;
    }
  }
  if (weight_average_) {
    weight_average_->copy_to_model();
  }
  return Ending::Finished;
}

Ending Trainer::train_epoch(int64_t epoch, TrainingObserver& observer) {
  const double started = now() - sums_.seconds;
  network_->train();
  begin_epoch(epoch);
  const int64_t steps = steps_per_epoch();
  while (step_in_epoch_ < steps) {
    weight_optimizer_.schedule(position(), options_.epochs);
    const StepStats stats = train_step(epoch, step_in_epoch_);
    if (scaler_) {
      scaler_->update();
    }
    count(stats, epoch, step_in_epoch_, observer);
    if (std::exchange(has_stepped_, false) && weight_average_) {
      weight_average_->update();  // now that ranks have the same statistics
    }
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
  double loss = 0, correct = 0;
  if (ranks_ == nullptr) {
    loss = stats.loss.item<double>();
    correct = stats.correct.item<double>();
  } else {
    // Where the loss is: between GPUs is the faster network. Shares are of equal size, so the mean
    // over ranks is that over samples.
    const at::TensorOptions here = stats.loss.options().dtype(at::kDouble).requires_grad(false);
    const at::Tensor sums = at::stack({stats.loss.detach().to(here), stats.correct.to(here),
                                       at::full({}, observer.stop_requested() ? 1 : 0, here)});
    ranks_->sum(sums);
    const at::Tensor found = sums.cpu();
    loss = found[0].item<double>() / static_cast<double>(n_ranks());
    correct = found[1].item<double>();
    agreed_to_stop_ = found[2].item<double>() > 0;
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
  check_agreement(*ranks_, all.tensors, all.state, c10::str("after step ", steps_done()));
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

Trainer::LossAndLogits Trainer::forward(const Batch& batch) {
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
  return finished(of, [&] { return scaled_gradients(loss, of).values; });
}

Gradients Trainer::scaled_gradients(const at::Tensor& loss, std::span<const at::Tensor> of) const {
  return retia::gradients(scaler_ ? scaler_->scaled(loss) : loss, of);
}

Gradients Trainer::finished(std::span<const at::Tensor> of,
                            const std::function<std::vector<at::Tensor>()>& make) {
  Gradients found{.of = {of.begin(), of.end()},
                  .values = average_ ? (*average_)(of, make) : make()};
  found.overflowed = scaler_ && !scaler_->unscale(found.values);
  return found;
}

Trainer::Passed Trainer::differentiate(const Batch& batch, std::span<const at::Tensor> of,
                                       const LossOf& objective) {
  const auto loss_over = [&](const Batch& part, StepStats& stats) {
    const LossAndLogits found = forward(part);
    const auto share = static_cast<double>(part.size()) / static_cast<double>(batch.size());
    const at::Tensor loss = objective ? objective(found.loss) : found.loss;
    accumulate(stats.loss, found.loss.detach() * share);
    accumulate(stats.correct, n_correct(found.logits, part.targets));
    return loss * share;
  };
  Passed passed{{}, {{}, {}, batch.size()}};
  const std::vector<Batch> parts = split(batch, options_.accumulate);
  if (parts.size() == 1) {
    passed.gradients = gradients(loss_over(batch, passed.stats), of);
    return passed;
  }
  Gradients sum;
  for (const Batch& part : parts) {
    add(sum, scaled_gradients(loss_over(part, passed.stats), of));
  }
  passed.gradients = finished(of, [&] { return sum.values; });
  return passed;
}

void Trainer::step_weights(const Gradients& gradients) {
  has_stepped_ = weight_optimizer_.step(gradients);
}

StepStats Trainer::step_weights(const Batch& batch) {
  const Passed passed = differentiate(batch, weights());
  step_weights(passed.gradients);
  return passed.stats;
}

Checkpoint Trainer::checkpoint(TrainingObserver& observer) {
  Checkpoint saved;
  put(saved, kNetwork, weights_of(*network_));
  put(saved, "weight_optimizer/", weight_optimizer_.state());
  saved.state = {{"epoch", epoch_},
                 {"step", step_in_epoch_},
                 {"loss", sums_.loss},
                 {"correct", sums_.correct},
                 {"samples", sums_.samples},
                 {"seconds", sums_.seconds},
                 {"observer", observer.state()}};
  const Dataset& data = train_.dataset();
  saved.state["data"] = {{"name", data.name},
                         {"n_classes", data.n_classes},
                         {"normalisation", normalisation_of(data)}};
  if (best_) {
    saved.state["best"] = {{"loss", best_->loss}, {"accuracy", best_->accuracy}};
  }
  if (scaler_) {
    saved.state[kLossScaler] = scaler_->state();
  }
  if (weight_average_) {
    put(saved, kAverage, weight_average_->tensors());
    saved.state[kAverage] = weight_average_->n_updates();
  }
  save(saved);
  return saved;
}

void Trainer::restore(const Checkpoint& saved, TrainingObserver& observer) {
  copy_weights(with_prefix(saved.tensors, kNetwork), *network_);
  weight_optimizer_.load_state(with_prefix(saved.tensors, "weight_optimizer/"));
  epoch_ = saved.state.at("epoch");
  step_in_epoch_ = saved.state.at("step");
  sums_ = {saved.state.at("loss"), saved.state.at("correct"), saved.state.at("samples"),
           saved.state.at("seconds")};
  if (const auto best = saved.state.find("best"); best != saved.state.end()) {
    best_ = Score{.loss = best->at("loss"), .accuracy = best->at("accuracy")};
  }
  if (scaler_) {
    TORCH_CHECK(saved.state.contains(kLossScaler),
                "the checkpoint has no loss scale: it is of a run in another --precision");
    scaler_->load_state(saved.state.at(kLossScaler));
  }
  if (weight_average_) {
    weight_average_->load(with_prefix(saved.tensors, kAverage),
                          saved.state.value(kAverage, int64_t{0}));
  }
  observer.load_state(saved.state.at("observer"));
  load(saved);
}

NamedTensors trained_weights(const Checkpoint& saved) {
  NamedTensors averages = with_prefix(saved.tensors, kAverage);
  return averages.empty() ? with_prefix(saved.tensors, kNetwork) : averages;
}

}  // namespace retia
