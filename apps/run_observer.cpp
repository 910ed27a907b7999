#include "retia/apps/run_observer.h"

#include <cstdio>
#include <iostream>
#include <limits>

#include "retia/engine/base/clock.h"

namespace retia {
namespace {

constexpr int kStdErr = 2;
constexpr const char* kMetrics = "metrics.jsonl";
constexpr const char* kEvents = "events.out.tfevents.retia";
constexpr int64_t kStepsBetweenEvents = 100;

/// TensorBoard's tag of a number in metrics.jsonl: training and validation in one chart.
std::string tag_of(const std::string& metric) {
  const bool valid = metric.rfind("valid_", 0) == 0;
  const std::string what = valid ? metric.substr(6) : metric;
  return what != "loss" && what != "accuracy" ? metric : what + (valid ? "/valid" : "/train");
}

}  // namespace

ProgressOptions progress_options(const RunOptions& options) {
  ProgressOptions progress = progress_on(kStdErr);
  if (options.quiet) {
    progress.style = ProgressStyle::Quiet;
  }
  return progress;
}

RunObserver::RunObserver(std::optional<RunDirectory>& directory, const RunOptions& options)
    : directory_(directory ? &*directory : nullptr),
      progress_(std::cerr, directory ? progress_options(options)
                                     : ProgressOptions{.style = ProgressStyle::Quiet}),
      ends_(options.time_limit > 0 ? now() + options.time_limit
                                   : std::numeric_limits<double>::infinity()) {
  if (directory_ != nullptr) {
    open_files();
  }
}

void RunObserver::open_files() {
  metrics_.emplace(directory_->file(kMetrics));
  events_.emplace(directory_->file(kEvents));
  progress_.log_to(directory_->file("log.txt"));
}

void RunObserver::on_step(const StepReport& report) {
  if (report.epoch != epoch_) {
    epoch_ = report.epoch;
    progress_.begin(
        {.title = "epoch " + std::to_string(report.epoch + 1) + "/" + std::to_string(report.epochs),
         .n_steps = report.steps - report.step + 1,
         .n_steps_after = (report.epochs - report.epoch - 1) * report.steps});
  }
  progress_.step(report.n_samples, {{"loss", report.loss}, {"accuracy", report.accuracy}});
  steps_ = report.epoch * report.steps + report.step;
  if (events_ && steps_ % kStepsBetweenEvents == 0) {
    events_->write({.step = steps_,
                    .scalars = {{"within epochs/loss", report.loss},
                                {"within epochs/accuracy", report.accuracy},
                                {"within epochs/images_per_second", report.images_per_second}}});
  }
}

void RunObserver::on_epoch(const EpochReport& report) {
  if (!metrics_) {
    return;
  }
  Json line = {{"epoch", report.epoch + 1},
               {"epochs", report.epochs},
               {"loss", report.loss},
               {"accuracy", report.accuracy},
               {"lr", report.lr},
               {"seconds", report.seconds},
               {"peak_memory", report.peak_memory},
               {"images_per_second", report.images_per_second}};
  NamedNumbers shown = {{"loss", report.loss}, {"accuracy", report.accuracy}};
  if (report.validation) {
    line["valid_loss"] = report.validation->loss;
    line["valid_accuracy"] = report.validation->accuracy;
    shown.emplace_back("valid accuracy", report.validation->accuracy);
  }
  for (const auto& [name, value] : report.more) {
    line[name] = value;
    shown.emplace_back(name, value);
  }
  progress_.end(shown);
  metrics_->write(line);
  Events events{.step = steps_};
  for (const auto& [name, value] : line.items()) {
    events.scalars[tag_of(name)] = value.get<double>();
  }
  for (const auto& [label, probabilities] : report.probabilities) {
    events.histograms["probabilities/" + label] = probabilities;
    events.heat_maps["probabilities"].rows.push_back(probabilities);
  }
  events_->write(events);
  if (!report.note.empty()) {
    note(report.note);
  }
  try {
    after_epoch_(report.epoch);
  } catch (const std::exception&) {
    if (!has_lost_files()) {  // else state() is next to say so
      throw;
    }
  }
}

void RunObserver::on_test(const Score& score, int64_t steps) {
  if (events_) {
    events_->write(
        {.step = steps, .scalars = {{"loss/test", score.loss}, {"accuracy/test", score.accuracy}}});
  }
}

bool RunObserver::stop_requested() {
  if (!out_of_time_ && now() >= ends_) {
    out_of_time_ = true;
    note("--time-limit is reached");
  }
  return out_of_time_ || was_removed_ || stop_.requested();
}

void RunObserver::check_folder() const {
  TORCH_CHECK(!was_removed_, directory_->path().string(),
              " was removed while the run was working: what it held in memory is there again: give "
              "the command again, with --resume");
}

Json RunObserver::state() {
  if (has_lost_files()) {
    directory_->create_again();
    metrics_->copy_to(directory_->file(kMetrics));
    events_->copy_to(directory_->file(kEvents));
    open_files();
    was_removed_ = true;
  }
  return metrics_ ? Json{{"metrics", metrics_->position()}, {"events", events_->position()}}
                  : Json::object();
}

void RunObserver::load_state(const Json& state) {
  if (metrics_) {
    metrics_->rewind(state.at("metrics"));
    events_->rewind(state.at("events"));
  }
}

std::string percent(double part) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * part);
  return text;
}

}  // namespace retia
