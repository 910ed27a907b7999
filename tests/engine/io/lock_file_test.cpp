#include "retia/engine/io/lock_file.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <optional>

#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/engine/io/without_locks.h"

namespace retia {
namespace {

TEST(LockFile, IsHeldUntilItIsDestroyed) {
  const TemporaryFolder folder;
  EXPECT_FALSE(LockFile::is_held(folder / "lock"));
  {
    const LockFile lock(folder / "lock");
    EXPECT_TRUE(LockFile::is_held(folder / "lock"));
  }
  EXPECT_FALSE(LockFile::is_held(folder / "lock"));
  const LockFile again(folder / "lock");
  EXPECT_TRUE(LockFile::is_held(folder / "lock"));
}

TEST(LockFile, NamesTheProcessThatHoldsIt) {
  const TemporaryFolder folder;
  const LockFile lock(folder / "lock");
  EXPECT_EQ(error_of([&] { LockFile(folder / "lock"); }),
            "another process is running in " + folder.path().string() + " (pid " +
                std::to_string(::getpid()) + "): wait for it, or give another --out");
}

TEST(LockFile, MovesWithItsOwner) {
  const TemporaryFolder folder;
  std::optional<LockFile> first(folder / "lock");
  const LockFile second(std::move(*first));
  first.reset();
  EXPECT_TRUE(LockFile::is_held(folder / "lock"));
}

TEST(LockFile, SaysWhatToDoWhereThereAreNoLocks) {
  const TemporaryFolder folder;
  expect_without_locks([&] {
    const std::string error = error_of([&] { LockFile(folder / "lock"); });
    return error.find("its file system has no locks") != error.npos &&
           error.find("run.require_lock=false") != error.npos &&
           error.find("another process") == error.npos && !LockFile::is_held(folder / "lock") &&
           !has_locks(folder / "lock");
  });
  EXPECT_TRUE(has_locks(folder / "lock"));
}

TEST(LockFile, IsNotNeededWhereNoneIsRequired) {
  const TemporaryFolder folder;
  expect_without_locks([&] {
    const LockFile lock(folder / "lock", Locking::IfSupported);
    return std::filesystem::file_size(folder / "lock") > 0;
  });
  const LockFile lock(folder / "lock", Locking::IfSupported);
  EXPECT_TRUE(LockFile::is_held(folder / "lock"));
}

TEST(LockFile, SaysWhyItCannotBeWritten) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { LockFile(folder / "no/lock"); }),
              testing::HasSubstr("no/lock: cannot be written: "));
}

}  // namespace
}  // namespace retia
