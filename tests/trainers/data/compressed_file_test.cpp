#include "retia/trainers/data/compressed_file.h"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

#include "retia/tests/trainers/data/data_files.h"

namespace retia {
namespace {

using testing::HasSubstr;

std::string raw_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(CompressedFile, ReadsPlainAndGzippedBytesAlike) {
  const TemporaryFolder folder;
  const std::string bytes = counting_bytes(3 << 20);
  write_plainly(folder / "plain", bytes);
  write_gzipped(folder / "packed", bytes);
  EXPECT_TRUE(read_decompressed(folder / "plain") == bytes);
  EXPECT_TRUE(read_decompressed(folder / "packed") == bytes);
  write_plainly(folder / "empty", "");
  EXPECT_EQ(read_decompressed(folder / "empty"), "");
}

TEST(CompressedFile, FindsThePlainFileFirstThenThePackedOne) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { find_file(folder.path(), "x"); }), HasSubstr((folder / "x").string()));
  write_plainly(folder / "x.gz", "");
  EXPECT_EQ(find_file(folder.path(), "x"), folder / "x.gz");
  write_plainly(folder / "x", "");
  EXPECT_EQ(find_file(folder.path(), "x"), folder / "x");
}

TEST(CompressedFile, NamesAFileThatCannotBeRead) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { read_decompressed(folder / "none"); }),
              HasSubstr((folder / "none").string()));
  EXPECT_THAT(error_of([&] { read_decompressed(folder.path()); }), HasSubstr("is a folder"));
}

TEST(CompressedFile, RefusesPackedDataThatAreCutShortAnywhere) {
  const TemporaryFolder folder;
  write_gzipped(folder / "whole.gz", counting_bytes(5000, 251));
  const std::string packed = raw_bytes(folder / "whole.gz");
  for (size_t length = 12; length < packed.size(); ++length) {
    write_plainly(folder / "cut.gz", packed.substr(0, length));
    ASSERT_THAT(error_of([&] { read_decompressed(folder / "cut.gz"); }),
                testing::AllOf(HasSubstr((folder / "cut.gz").string()), HasSubstr("cut short")))
        << "after " << length << " of " << packed.size() << " bytes";
  }
}

TEST(CompressedFile, RefusesPackedDataThatAreDamaged) {
  const TemporaryFolder folder;
  write_gzipped(folder / "file.gz", counting_bytes(5000, 251));
  std::string packed = raw_bytes(folder / "file.gz");
  packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);  // of the checksum
  write_plainly(folder / "file.gz", packed);
  EXPECT_THAT(error_of([&] { read_decompressed(folder / "file.gz"); }),
              testing::AllOf(HasSubstr((folder / "file.gz").string()), HasSubstr("damaged")));
}

}  // namespace
}  // namespace retia
