#include "retia/engine/io/content_digest.h"

#include <gtest/gtest.h>

#include <set>

#include "retia/engine/io/files.h"
#include "retia/tests/engine/io/temporary_folder.h"

namespace retia {
namespace {

TEST(ContentDigest, IsSha1OfTheBlocksDigests) {
  // By hashlib: sha1(b"#3" + sha1(b"#abc").hexdigest().encode()), and with "0" and no block.
  EXPECT_EQ(content_digest("abc"), "c2da8e188f043de0595fc3c820320d2d01d5a85f");
  EXPECT_EQ(content_digest(""), "1f12375d9affcbc976b9912840b1eaef6c002af8");
}

TEST(ContentDigest, TellsEveryByteAndEveryOrderApart) {
  std::string bytes((size_t{3} << 20) + 17, 'a');
  std::set<std::string> seen = {content_digest(bytes)};
  for (const size_t i : {size_t{0}, size_t{1} << 20, bytes.size() - 1}) {
    bytes[i] = 'b';
    EXPECT_TRUE(seen.insert(content_digest(bytes)).second) << i;
    bytes[i] = 'a';
  }
  EXPECT_TRUE(seen.insert(content_digest(bytes.substr(1))).second);
  std::string swapped = bytes;
  bytes[0] = 'x';
  swapped[size_t{1} << 20] = 'x';
  EXPECT_NE(content_digest(bytes), content_digest(swapped));
  EXPECT_TRUE(seen.count(content_digest(std::string((size_t{3} << 20) + 17, 'a'))) == 1);
}

TEST(ContentDigest, DescribesAFileAndReadsItAgainOnlyWhereItWasTouched) {
  const TemporaryFolder folder;
  const auto path = folder / "a.csv";
  write_atomically(path, "1,2\n");
  const nlohmann::json first = describe_file(path);
  EXPECT_EQ(first["name"], "a.csv");
  EXPECT_EQ(first["size"], 4);
  EXPECT_EQ(first["digest"], content_digest("1,2\n"));
  nlohmann::json known = first;
  known["digest"] = "kept";
  EXPECT_EQ(describe_file(path, known)["digest"], "kept");
  write_atomically(path, "1,3\n");
  EXPECT_EQ(describe_file(path, known)["digest"], content_digest("1,3\n"));
  EXPECT_EQ(error_of([&] { describe_file(folder / "none"); }),
            (folder / "none").string() + ": cannot be read: No such file or directory");
}

}  // namespace
}  // namespace retia
