#include "retia/engine/io/patience.h"

#include <gmock/gmock.h>

#include <cerrno>

namespace retia {
namespace {

TEST(Patience, TriesAgainWhatMayPass) {
  int n_attempts = 0;
  EXPECT_EQ(patiently([&] { return ++n_attempts < 4 ? EAGAIN : 0; }, 60), 0);
  EXPECT_EQ(n_attempts, 4);
}

TEST(Patience, TriesOnceWhatWillNotPass) {
  int n_attempts = 0;
  const auto fails = [&] {
    ++n_attempts;
    return ENOENT;
  };
  EXPECT_EQ(patiently(fails, 60), ENOENT);
  EXPECT_EQ(n_attempts, 1);
}

TEST(Patience, EndsWithItsTimeAndOnRequest) {
  EXPECT_EQ(patiently([] { return ENOMEM; }, 0.1), ENOMEM);
  int n_attempts = 0;
  const auto fails = [&] {
    ++n_attempts;
    return EMFILE;
  };
  EXPECT_EQ(patiently(fails, 1e6, [&] { return n_attempts == 3; }), EMFILE);
  EXPECT_EQ(n_attempts, 3);
}

TEST(Patience, SaysWhatCanBeDone) {
  EXPECT_THAT(no_process(EAGAIN), testing::HasSubstr("Resource temporarily unavailable: raise"));
  EXPECT_EQ(no_process(EPERM), "no process can be made: Operation not permitted");
}

}  // namespace
}  // namespace retia
