#include "retia/engine/io/progress.h"

#include <c10/util/Exception.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

#include "retia/engine/base/clock.h"

namespace retia {
namespace {

constexpr int64_t kBarWidth = 20;

std::string number_text(double value, const char* format) {
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string duration_text(double seconds) {
  const auto whole = static_cast<long long>(std::llround(seconds));
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60,
                whole % 60);
  return text.data();
}

std::string bar_text(int64_t done, int64_t all) {
  const int64_t n_filled = all > 0 ? std::clamp<int64_t>(done * kBarWidth / all, 0, kBarWidth) : 0;
  std::string bar(static_cast<size_t>(kBarWidth), ' ');
  std::fill_n(bar.begin(), n_filled, '=');
  if (n_filled < kBarWidth) {
    bar[static_cast<size_t>(n_filled)] = '>';
  }
  return " [" + bar + "]";
}

std::string date_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  gmtime_r(&now, &parts);
  std::array<char, 32> text;
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

}  // namespace

ProgressOptions progress_on(int descriptor) {
  const char* const terminal = std::getenv("TERM");
  if (::isatty(descriptor) != 1 || terminal == nullptr || std::string_view(terminal) == "dumb") {
    return {};
  }
  ProgressOptions options{.style = ProgressStyle::Bar};
  winsize size = {};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    options.width = size.ws_col;
  }
  return options;
}

Progress::Progress(std::ostream& out, ProgressOptions options)
    : out_(out), options_(std::move(options)) {
  if (!options_.now) {
    options_.now = now;
  }
  started_ = options_.now();
  phase_started_ = started_;
  shown_ = started_;
}

Progress::~Progress() {
  if (bar_is_open_) {
    out_ << std::endl;
  }
}

void Progress::log_to(const std::filesystem::path& path) {
  log_.open(path, std::ios::app);
  TORCH_CHECK(log_.is_open(), path.string(), ": cannot be opened: ", std::strerror(errno));
}

void Progress::begin(Phase phase) {
  phase_ = std::move(phase);
  numbers_.clear();
  steps_ = 0;
  images_ = 0;
  phase_started_ = options_.now();
  if (options_.style == ProgressStyle::Bar) {
    draw();
  }
}

void Progress::step(int64_t n_images, NamedNumbers numbers) {
  ++steps_;
  ++all_steps_;
  images_ += n_images;
  numbers_ = std::move(numbers);
  const double elapsed = options_.now() - shown_;
  if (options_.style == ProgressStyle::Bar && elapsed >= options_.seconds_between_draws) {
    draw();
  } else if (options_.style != ProgressStyle::Bar && elapsed >= options_.seconds_between_lines) {
    print(status(Form::Plain));
  }
}

void Progress::end(const NamedNumbers& numbers) {
  for (const auto& [name, value] : numbers) {
    const auto known = std::find_if(numbers_.begin(), numbers_.end(),
                                    [&](const auto& number) { return number.first == name; });
    if (known == numbers_.end()) {
      numbers_.emplace_back(name, value);
    } else {
      known->second = value;
    }
  }
  print(status(Form::Plain));
  phase_ = {};
}

void Progress::note(const std::string& text) {
  const bool redraw = bar_is_open_;
  print(text);
  if (redraw) {
    draw();
  }
}

std::string Progress::status(Form form) const {
  const double now = options_.now();
  std::string text = phase_.title;
  text += form == Form::WithBar ? bar_text(steps_, phase_.n_steps) : "";
  text.append(" ")
      .append(std::to_string(steps_))
      .append("/")
      .append(std::to_string(phase_.n_steps));
  for (const auto& [name, value] : numbers_) {
    text += "  " + name + " " + number_text(value, "%.4g");
  }
  if (images_ > 0 && now > phase_started_) {
    const double rate = static_cast<double>(images_) / (now - phase_started_);
    text += "  " + number_text(rate, rate < 100 ? "%.3g" : "%.0f") + " images/s";
  }
  const int64_t n_left = std::max<int64_t>(phase_.n_steps - steps_, 0) + phase_.n_steps_after;
  if (n_left > 0 && all_steps_ > 0) {
    const double seconds_a_step = (now - started_) / static_cast<double>(all_steps_);
    text += "  ETA " + duration_text(seconds_a_step * static_cast<double>(n_left));
  }
  return text;
}

void Progress::draw() {
  // A line as wide as the terminal would wrap, and could not be redrawn.
  const auto most = static_cast<size_t>(std::max<int64_t>(options_.width - 1, 1));
  out_ << '\r' << status(Form::WithBar).substr(0, most) << "\x1b[K" << std::flush;
  bar_is_open_ = true;
  shown_ = options_.now();
}

void Progress::print(const std::string& line) {
  if (options_.style != ProgressStyle::Quiet) {
    out_ << (bar_is_open_ ? "\r\x1b[K" : "") << line << std::endl;
    bar_is_open_ = false;
  }
  if (log_.is_open()) {
    log_ << date_text() << ' ' << line << std::endl;
  }
  shown_ = options_.now();
}

}  // namespace retia
