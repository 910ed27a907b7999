#include "retia/engine/io/folders.h"

#include <gmock/gmock.h>

#include "retia/engine/io/files.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(MakeFolders, MakesAFolderAndItsParentsAndKeepsWhatIsThere) {
  const TemporaryFolder folder;
  make_folders(folder / "a/b/c");
  write_atomically(folder / "a/b/kept", "text");
  make_folders(folder / "a/b/c");
  make_folders(folder / "a/b/d");
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/c"));
  EXPECT_TRUE(std::filesystem::is_directory(folder / "a/b/d"));
  EXPECT_TRUE(std::filesystem::exists(folder / "a/b/kept"));
}

TEST(MakeFolders, NamesThePathAndTheReasonWhereAFileIsInTheWay) {
  const TemporaryFolder folder;
  write_atomically(folder / "file", "text");
  const std::string error = error_of([&] { make_folders(folder / "file/inner"); });
  EXPECT_THAT(error, StartsWith((folder / "file/inner").string() + ": cannot be made: "));
  EXPECT_THAT(error, HasSubstr("Not a directory"));
}

}  // namespace
}  // namespace retia
