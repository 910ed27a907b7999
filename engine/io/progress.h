#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace retia {

/// Named numbers in the order in which they are shown, e.g. {{"loss", 0.41}, {"accuracy", 0.87}}.
using NamedNumbers = std::vector<std::pair<std::string, double>>;

/// The ways to show progress.
enum class ProgressStyle {
  Bar,    ///< one line, redrawn in place; for terminals
  Lines,  ///< a plain line now and then, and one at the end of each phase
  Quiet   ///< nothing; the log file is still written
};

/// The form in which progress is shown, and how often.
struct ProgressOptions {
  ProgressStyle style = ProgressStyle::Lines;  ///< a redrawn bar, plain lines, or nothing
  int64_t width = 100;                         ///< columns of the terminal; longer bars are cut
  double seconds_between_draws = 0.1;          ///< seconds between redraws of the bar
  double seconds_between_lines = 10;           ///< of plain lines
  std::function<double()> now = {};            ///< monotonic clock in seconds; empty: steady_clock
};

/// Returns Bar with the width of the terminal where `descriptor` (1: stdout, 2: stderr) is a
/// terminal that can redraw a line; else Lines.
ProgressOptions progress_on(int descriptor);

/// A part of a run with its own steps, usually an epoch.
struct Phase {
  std::string title;          ///< e.g. "epoch 3/50"
  int64_t n_steps = 0;        ///< number of steps in this phase
  int64_t n_steps_after = 0;  ///< in later phases; used to estimate the time left
};

/// Shows the progress of a run:
///   epoch 3/50 [====>     ] 120/469  loss 0.412  1234 images/s  ETA 0:12:34
/// The rate is that of the phase; the time left (h:mm:ss) is that of the whole run, estimated from
/// the pace since construction. For use by one thread.
class Progress {
 public:
  /// Writes to `out`, which must outlive this object.
  explicit Progress(std::ostream& out, ProgressOptions options = {});
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Ends an open bar with a newline.
  ~Progress();

  /// Also appends notes and plain lines to a file, with the time in UTC. Throws when the file
  /// cannot be opened.
  void log_to(const std::filesystem::path& path);

  /// Begins a phase; its rate and its numbers start anew.
  void begin(Phase phase);

  /// Reports one completed step on n_images images. `numbers` replace the numbers shown before.
  void step(int64_t n_images, NamedNumbers numbers);

  /// Ends the phase with a line that stays. `numbers` are added to those of the last step; equal
  /// names are replaced.
  void end(const NamedNumbers& numbers = {});

  /// Prints a line of text, above the bar where there is one.
  void note(const std::string& text);

 private:
  enum class Form { WithBar, Plain };

  std::string status(Form form) const;
  void draw();
  void print(const std::string& line);

  std::ostream& out_;
  ProgressOptions options_;
  std::ofstream log_;
  Phase phase_;
  NamedNumbers numbers_;
  int64_t steps_ = 0;      // steps completed in the phase
  int64_t images_ = 0;     // images processed in the phase
  int64_t all_steps_ = 0;  // steps completed since construction
  double started_ = 0;
  double phase_started_ = 0;
  double shown_ = 0;
  bool bar_is_open_ = false;
};

}  // namespace retia
