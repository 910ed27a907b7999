#include "retia/engine/io/progress.h"

#include <cctype>
#include <sstream>

#include "retia/engine/io/files.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

/// What a Progress writes, by a clock that the test turns.
struct Screen {
  double seconds = 100;
  std::ostringstream text;

  ProgressOptions options(ProgressStyle style) {
    return {.style = style, .now = [this] { return seconds; }};
  }
  std::string take() {
    std::string taken = text.str();
    text.str("");
    return taken;
  }
};

std::string with_digits_hidden(std::string text) {
  for (char& letter : text) {
    letter = std::isdigit(static_cast<unsigned char>(letter)) != 0 ? '#' : letter;
  }
  return text;
}

TEST(Progress, PrintsALineNowAndThenAndAtTheEndOfAPhase) {
  Screen screen;
  Progress progress(screen.text, screen.options(ProgressStyle::Lines));
  progress.begin({.title = "epoch 1/2", .n_steps = 4, .n_steps_after = 4});
  EXPECT_EQ(screen.take(), "");
  screen.seconds += 6;
  progress.step(64, {{"loss", 2.0}, {"accuracy", 0.125}});
  EXPECT_EQ(screen.take(), "");
  screen.seconds += 6;
  progress.step(64, {{"loss", 1.23456}, {"accuracy", 0.25}});
  EXPECT_EQ(screen.take(),
            "epoch 1/2 2/4  loss 1.235  accuracy 0.25  10.7 images/s  ETA 0:00:36\n");
  screen.seconds += 1;
  progress.step(64, {{"loss", 1}});
  progress.step(64, {{"loss", 1}});
  EXPECT_EQ(screen.take(), "");
  progress.end({{"loss", 0.5}, {"validation accuracy", 0.75}});
  EXPECT_EQ(screen.take(),
            "epoch 1/2 4/4  loss 0.5  validation accuracy 0.75  19.7 images/s  ETA 0:00:13\n");
  progress.begin({.title = "epoch 2/2", .n_steps = 1});
  screen.seconds += 0.5;
  progress.step(1000, {});
  progress.end();
  EXPECT_EQ(screen.take(), "epoch 2/2 1/1  2000 images/s\n");
}

TEST(Progress, RedrawsOneLineOnATerminal) {
  Screen screen;
  Progress progress(screen.text, screen.options(ProgressStyle::Bar));
  progress.begin({.title = "epoch 1/1", .n_steps = 4});
  EXPECT_EQ(screen.take(), "\repoch 1/1 [>                   ] 0/4\x1b[K");
  screen.seconds += 3600;
  progress.step(7200, {{"loss", 2}});
  EXPECT_EQ(screen.take(),
            "\repoch 1/1 [=====>              ] 1/4  loss 2  2 images/s  ETA 3:00:00\x1b[K");
  screen.seconds += 0.05;
  progress.step(1, {});
  EXPECT_EQ(screen.take(), "") << "drawn again too soon";
  progress.step(1, {});
  progress.step(1, {{"loss", 1}});
  progress.end();
  EXPECT_EQ(screen.take(), "\r\x1b[Kepoch 1/1 4/4  loss 1  2 images/s\n");
}

TEST(Progress, CutsABarThatWouldWrap) {
  Screen screen;
  ProgressOptions options = screen.options(ProgressStyle::Bar);
  options.width = 12;
  Progress progress(screen.text, options);
  progress.begin({.title = "epoch 1/1", .n_steps = 4});
  EXPECT_EQ(screen.take(), "\repoch 1/1 [\x1b[K");
}

TEST(Progress, PutsNotesAboveTheBar) {
  Screen screen;
  Progress progress(screen.text, screen.options(ProgressStyle::Bar));
  progress.note("before");
  EXPECT_EQ(screen.take(), "before\n");
  progress.begin({.title = "a", .n_steps = 1});
  screen.take();
  progress.note("checkpoint written");
  EXPECT_EQ(screen.take(), "\r\x1b[Kcheckpoint written\n\ra [>                   ] 0/1\x1b[K");
}

TEST(Progress, EndsAnOpenBarWithANewline) {
  Screen screen;
  {
    Progress progress(screen.text, screen.options(ProgressStyle::Bar));
    progress.begin({.title = "a", .n_steps = 1});
    screen.take();
  }
  EXPECT_EQ(screen.take(), "\n");
  { const Progress unused(screen.text, screen.options(ProgressStyle::Bar)); }
  EXPECT_EQ(screen.take(), "");
}

TEST(Progress, IsSilentWhenQuietButLogs) {
  Screen screen;
  const TemporaryFolder folder;
  {
    Progress progress(screen.text, screen.options(ProgressStyle::Quiet));
    progress.log_to(folder / "log.txt");
    progress.begin({.title = "a", .n_steps = 1});
    progress.step(1, {{"loss", 1}});
    progress.note("a note");
    progress.end();
  }
  EXPECT_EQ(screen.take(), "");
  EXPECT_EQ(with_digits_hidden(read_file(folder / "log.txt")),
            "####-##-##T##:##:##Z a note\n####-##-##T##:##:##Z a #/#  loss #\n");
}

TEST(Progress, AppendsToItsLog) {
  Screen screen;
  const TemporaryFolder folder;
  write_atomically(folder / "log.txt", "before\n");
  Progress progress(screen.text, screen.options(ProgressStyle::Quiet));
  progress.log_to(folder / "log.txt");
  progress.note("after");
  EXPECT_EQ(read_file(folder / "log.txt").rfind("before\n", 0), 0u);
}

TEST(Progress, NamesALogThatCannotBeOpened) {
  Screen screen;
  Progress progress(screen.text, screen.options(ProgressStyle::Quiet));
  EXPECT_EQ(error_of([&] { progress.log_to("/no/such"); }),
            "/no/such: cannot be opened: No such file or directory");
}

TEST(Progress, PrintsPlainLinesWhereThereIsNoTerminal) {
  const TemporaryFolder folder;
  FILE* const file = fopen((folder / "out").c_str(), "w");
  EXPECT_EQ(progress_on(fileno(file)).style, ProgressStyle::Lines);
  fclose(file);
}

}  // namespace
}  // namespace retia
