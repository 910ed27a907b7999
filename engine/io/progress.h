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

/// Named numbers in the order they are shown, e.g. {{"loss", 0.41}, {"accuracy", 0.87}}.
using NamedNumbers = std::vector<std::pair<std::string, double>>;

enum class ProgressStyle {
  Bar,    ///< one line, redrawn in place: for terminals
  Lines,  ///< a plain line now and then, and one at the end of each phase
  Quiet   ///< nothing; the log file is written all the same
};

struct ProgressOptions {
  ProgressStyle style = ProgressStyle::Lines;
  int64_t width = 100;                 ///< columns of the terminal; longer bars are cut
  double seconds_between_draws = 0.1;  ///< of the bar
  double seconds_between_lines = 10;   ///< of plain lines
  std::function<double()> now =
      {};  ///< seconds on a clock that never goes back; steady_clock if empty
};

/// Bar, as wide as the terminal, where `descriptor` (1: stdout, 2: stderr) is one that can redraw;
/// else Lines.
ProgressOptions progress_on(int descriptor);

/// A part of a run with steps of its own, usually an epoch.
struct Phase {
  std::string title;  ///< e.g. "epoch 3/50"
  int64_t n_steps = 0;
  int64_t n_steps_after = 0;  ///< in the phases still to come: for the time left of the whole run
};

/// Shows how far a run is: "epoch 3/50 [====>     ] 120/469  loss 0.412  1234 images/s  ETA
/// 0:12:34". The rate is that of the phase, the time left (h:mm:ss) that of the whole run by the
/// pace since construction. One thread.
class Progress {
 public:
  /// `out` must outlive this object.
  explicit Progress(std::ostream& out, ProgressOptions options = {});
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Ends an open bar with a newline.
  ~Progress();

  /// Also appends notes and plain lines, dated in UTC, to a file. Throws when it cannot be opened.
  void log_to(const std::filesystem::path& path);

  void begin(Phase phase);

  /// One step done, on n_images images. `numbers` replace those shown before.
  void step(int64_t n_images, NamedNumbers numbers);

  /// Ends the phase with a line that stays; `numbers` are added to those of the last step, or
  /// replace those of the same name.
  void end(const NamedNumbers& numbers = {});

  /// A line of text, above the bar where there is one.
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
  int64_t steps_ = 0;      // of the phase
  int64_t images_ = 0;     // of the phase
  int64_t all_steps_ = 0;  // since construction
  double started_ = 0;
  double phase_started_ = 0;
  double shown_ = 0;
  bool bar_is_open_ = false;
};

}  // namespace retia
