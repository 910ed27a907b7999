#pragma once

#include <ATen/Parallel.h>
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <vector>

#include "retia/engine/mutables/mutator.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/trainers/trainer.h"

namespace retia {

/// Keeps what a run reports, but for times, and stops it after some steps.
class Recorder final : public TrainingObserver {
 public:
  /// stop_after: steps that this observer sees before it asks for the end; 0: never.
  explicit Recorder(int64_t stop_after = 0) : stop_after_(stop_after) {}

  void on_step(const StepReport& report) override {
    ++n_steps;
    reports.push_back({{"epoch", report.epoch},
                       {"step", report.step},
                       {"steps", report.steps},
                       {"loss", report.loss},
                       {"accuracy", report.accuracy}});
  }
  void on_epoch(const EpochReport& report) override {
    epochs.push_back(report);
    reports.push_back({{"epoch", report.epoch},
                       {"loss", report.loss},
                       {"accuracy", report.accuracy},
                       {"lr", report.lr}});
    if (report.validation) {
      reports.back()["validation"] = {report.validation->loss, report.validation->accuracy,
                                      report.validation->n_samples};
    }
  }
  bool stop_requested() override { return stop_after_ > 0 && n_steps >= stop_after_; }
  Json state() override { return reports; }
  void load_state(const Json& state) override { reports = state.get<std::vector<Json>>(); }

  std::vector<Json> reports;
  std::vector<EpochReport> epochs;
  int64_t n_steps = 0;

 private:
  int64_t stop_after_;
};

/// While it lives, LibTorch computes on one thread.
class OneThread {
 public:
  OneThread() : was_(at::get_num_threads()) { at::set_num_threads(1); }
  ~OneThread() { at::set_num_threads(was_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int was_;
};

inline void expect_equal(const Checkpoint& a, const Checkpoint& b) {
  EXPECT_EQ(a.state, b.state);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (const auto& [name, tensor] : a.tensors) {
    ASSERT_EQ(b.tensors.count(name), 1) << name;
    EXPECT_TRUE(at::equal(tensor, b.tensors.at(name))) << name;
  }
}

/// Returns copies that share no memory with `tensors`.
inline NamedTensors copies_of(NamedTensors tensors) {
  for (auto& [name, tensor] : tensors) {
    tensor = tensor.detach().clone();
  }
  return tensors;
}

/// Expects tensors in double to differ by rounding only.
inline void expect_near_tensors(const NamedTensors& a, const NamedTensors& b) {
  ASSERT_EQ(a.size(), b.size());
  for (const auto& [name, tensor] : a) {
    EXPECT_LT((tensor - b.at(name)).abs().max().item<double>(), 1e-10) << name;
  }
}

/// Expects reports of computations in double to differ by rounding only.
inline void expect_near_reports(const std::vector<Json>& a, const std::vector<Json>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i].at("loss").get<double>(), b[i].at("loss").get<double>(), 1e-10);
    EXPECT_EQ(a[i].at("accuracy"), b[i].at("accuracy"));
  }
}

/// A trainer and what it needs to outlive it.
struct TrainingRun {
  std::unique_ptr<Mutator> mutator;
  std::unique_ptr<Trainer> trainer;
};

/// Expects that a run that is stopped after `n_steps` and continued by new objects ends bit for bit
/// as one that is not: all weights, buffers, optimiser states, generators and reports.
inline void expect_resumes_exactly(const std::function<TrainingRun()>& make, int64_t n_steps) {
  const OneThread one_thread;
  const auto ignore = [](const std::string&) {};
  const TemporaryFolder folder;
  CheckpointStore whole(folder / "whole");
  Recorder uninterrupted;
  ASSERT_EQ(make().trainer->fit(uninterrupted, &whole), Ending::Finished);

  CheckpointStore parts(folder / "parts");
  {
    Recorder first(n_steps);
    const TrainingRun run = make();
    ASSERT_EQ(run.trainer->fit(first, &parts), Ending::Stopped);
    ASSERT_EQ(run.trainer->steps_done(), n_steps);
    ASSERT_EQ(parts.steps().back(), n_steps);
  }
  Recorder second;
  const TrainingRun run = make();
  run.trainer->restore(parts.newest(ignore).value(), second);
  ASSERT_EQ(run.trainer->steps_done(), n_steps);
  ASSERT_EQ(run.trainer->fit(second, &parts), Ending::Finished);
  EXPECT_LT(second.n_steps, uninterrupted.n_steps);
  EXPECT_EQ(second.reports, uninterrupted.reports);
  expect_equal(parts.newest(ignore).value(), whole.newest(ignore).value());
}

}  // namespace retia
