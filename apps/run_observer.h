#pragma once

#include <functional>
#include <optional>

#include "retia/apps/config.h"
#include "retia/engine/io/event_file.h"
#include "retia/engine/io/metrics.h"
#include "retia/engine/io/progress.h"
#include "retia/engine/io/run_directory.h"
#include "retia/engine/io/stop_signal.h"

namespace retia {

/// Returns the options for showing progress on stderr.
ProgressOptions progress_options(const RunOptions& options);

/// Shows progress, writes metrics.jsonl, log.txt and TensorBoard's event file, and stops on Ctrl-C
/// or at the time limit. Without a directory (on ranks other than the first) it only stops.
class RunObserver final : public TrainingObserver {
 public:
  /// `directory`: folder of the files, which must outlive this object; none: nothing is written.
  RunObserver(std::optional<RunDirectory>& directory, const RunOptions& options);

  void on_step(const StepReport& report) override;
  void on_epoch(const EpochReport& report) override;
  /// Writes the score on the test samples, after `steps` steps, into TensorBoard's event file.
  void on_test(const Score& score, int64_t steps);
  bool stop_requested() override;
  /// Returns the positions in the files of the run. Creates the folder again where it was removed,
  /// for the checkpoint that is saved next; the run then stops, and check_folder() throws.
  Json state() override;
  void load_state(const Json& state) override;
  bool has_lost_files() override { return directory_ != nullptr && directory_->was_removed(); }

  /// Throws one line where the folder was removed while the run was working.
  void check_folder() const;

  /// Sets a function that is called after each epoch, before the checkpoint is saved, where there is
  /// a directory.
  void after_epoch(std::function<void(int64_t epoch)> call) { after_epoch_ = std::move(call); }

  /// Prints a line above the progress bar and writes it into the log.
  void note(const std::string& text) { progress_.note(text); }

 private:
  void open_files();

  StopSignal stop_;
  RunDirectory* directory_;  // null: nothing is written
  Progress progress_;
  std::optional<MetricsWriter> metrics_;
  std::optional<EventFile> events_;
  std::function<void(int64_t)> after_epoch_ = [](int64_t) {};
  double ends_;  // time of the time limit, on the steady clock
  int64_t epoch_ = -1;
  int64_t steps_ = 0;  // steps completed since the beginning
  bool out_of_time_ = false;
  bool was_removed_ = false;
};

/// Returns a percentage: "97.22 %" for 0.9722.
std::string percent(double part);

}  // namespace retia
