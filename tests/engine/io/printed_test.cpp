#include "retia/engine/io/printed.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <iostream>

namespace retia {
namespace {

/// Returns what finish_printing() says in a child that printed into the descriptor of `open_output`.
PrintedEnd printed_into(const std::function<int()>& open_output) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGPIPE, SIG_IGN);
    ::dup2(open_output(), STDOUT_FILENO);
    std::cout << "a result" << std::endl;
    std::cout << "another\n";
    const PrintedEnd end = finish_printing();
    ::_exit(::write(ends[1], &end, sizeof end) == sizeof end ? 0 : 1);
  }
  PrintedEnd end;
  EXPECT_EQ(::read(ends[0], &end, sizeof end), static_cast<ssize_t>(sizeof end));
  ::waitpid(child, nullptr, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  return end;
}

TEST(Printed, IsLostOnAFullDisk) {
  const PrintedEnd end = printed_into([] { return ::open("/dev/full", O_WRONLY); });
  EXPECT_EQ(end.fate, Printed::Lost);
  EXPECT_EQ(end.failure, ENOSPC);
}

TEST(Printed, IsNotReadWhereTheReaderHasGone) {
  const PrintedEnd end = printed_into([] {
    int pipe_ends[2];
    EXPECT_EQ(::pipe(pipe_ends), 0);
    ::close(pipe_ends[0]);
    return pipe_ends[1];
  });
  EXPECT_EQ(end.fate, Printed::ReaderGone);
}

TEST(Printed, IsWrittenElsewhere) {
  EXPECT_EQ(printed_into([] { return ::open("/dev/null", O_WRONLY); }).fate, Printed::Written);
}

}  // namespace
}  // namespace retia
