#include "retia/engine/io/files.h"

#include <sys/resource.h>

#include <array>
#include <csignal>
#include <limits>

#include "retia/tests/engine/io/temporary_folder.h"

using nlohmann::json;

namespace retia {
namespace {

/// No file of this process may grow beyond `n_bytes` while it lives: a full disk for tests.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t n_bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit = {n_bytes, old_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit old_ = {};
  void (*handler_)(int);
};

TEST(Files, ReadBackWhatWasWritten) {
  const TemporaryFolder folder;
  std::string bytes(200000, 'x');
  bytes[7] = '\0';
  write_atomically(folder / "a", bytes);
  EXPECT_EQ(read_file(folder / "a"), bytes);
  const std::array<std::string_view, 3> parts = {"one ", "", "two"};
  write_atomically(folder / "a", parts);
  EXPECT_EQ(read_file(folder / "a"), "one two");
  EXPECT_EQ(folder.n_files(), 1u);
}

TEST(Files, KeepTheOldFileWhenTheDiskIsFull) {
  const TemporaryFolder folder;
  const auto path = folder / "a";
  write_atomically(path, "old");
  std::string error;
  {
    const FileSizeLimit limit(1000);
    error = error_of([&] { write_atomically(path, std::string(100000, 'x')); });
  }
  EXPECT_EQ(error, path.string() +
                       ": cannot be written: File too large: raise the limit (ulimit -f) and give "
                       "the command again, that of a run with --resume");
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(folder.n_files(), 1u);
}

TEST(Files, RemoveTheTemporaryWhenTheNameIsAFolder) {
  const TemporaryFolder folder;
  const auto path = folder / "a";
  std::filesystem::create_directory(path);
  EXPECT_EQ(error_of([&] { write_atomically(path, "x"); }),
            path.string() + ": cannot be written: Is a directory");
  EXPECT_EQ(folder.n_files(), 1u);
}

TEST(Files, NameThePathAndTheReason) {
  const TemporaryFolder folder;
  const auto missing = folder / "no";
  EXPECT_EQ(error_of([&] { write_atomically(missing / "a", "x"); }),
            (missing / "a").string() + ": cannot be written: No such file or directory");
  EXPECT_EQ(error_of([&] { read_file(missing); }),
            missing.string() + ": cannot be opened: No such file or directory");
  EXPECT_EQ(error_of([&] { read_file(folder.path()); }),
            folder.path().string() + ": cannot be read: Is a directory");
}

TEST(Json, ReadsBackWhatWasWritten) {
  const TemporaryFolder folder;
  const json document = {{"b", {1, 2.5}}, {"a", "ä"}, {"c", 0.1}};
  write_json(folder / "a.json", document);
  EXPECT_EQ(read_json(folder / "a.json"), document);
  EXPECT_EQ(read_file(folder / "a.json"),
            "{\n  \"a\": \"ä\",\n  \"b\": [\n    1,\n    2.5\n  ],\n  \"c\": 0.1\n}\n");
}

TEST(Json, NamesTheByteWhereAFileIsTruncatedOrWrong) {
  const TemporaryFolder folder;
  const auto path = folder / "a.json";
  write_atomically(path, R"({"a": [1, 2)");
  EXPECT_EQ(error_of([&] { read_json(path); }),
            path.string() +
                ": expected JSON, but the file ends at byte 11 in the middle of it: it was "
                "truncated");
  write_atomically(path, "");
  EXPECT_EQ(error_of([&] { read_json(path); }),
            path.string() +
                ": expected JSON, but the file ends at byte 0 in the middle of it: it was "
                "truncated");
  write_atomically(path, R"({"a": nope})");
  EXPECT_EQ(error_of([&] { read_json(path); }),
            path.string() + ": expected JSON, but byte 8 of 11 fits none");
  write_atomically(path, "[1e999]");
  EXPECT_NE(error_of([&] { read_json(path); }).find("number overflow"), std::string::npos);
}

TEST(Json, RefusesWhatJsonCannotHold) {
  const TemporaryFolder folder;
  const auto path = folder / "a.json";
  const json nan = {{"loss", {1.0, std::numeric_limits<double>::quiet_NaN()}}};
  EXPECT_EQ(error_of([&] { write_json(path, nan); }),
            path.string() + ": loss: 1: expected finite numbers, but got nan");
  EXPECT_NE(error_of([&] { write_json(path, "\xff"); }).find("cannot be written as JSON"),
            std::string::npos);
  EXPECT_EQ(folder.n_files(), 0u);
}

TEST(Format, ChecksTheHeader) {
  const TemporaryFolder folder;
  const auto path = folder / "architecture.json";
  const auto error = [&](const json& document) {
    write_json(path, document);
    return error_of([&] { read_format(path, "retia.architecture", 2); });
  };
  const std::string expected =
      path.string() + ": expected format retia.architecture version 2, found ";
  EXPECT_EQ(error({{"format", "retia.architecture"}, {"version", 2}}), "(no error)");
  EXPECT_EQ(error({{"format", "retia.architecture"}, {"version", 7}}),
            expected + "version 7: use a newer Retia");
  EXPECT_EQ(error({{"format", "retia.architecture"}, {"version", 1}}),
            expected + "version 1: use an older Retia, or write it again");
  EXPECT_EQ(error({{"format", "retia.config"}, {"version", 2}}),
            expected + "format retia.config: give another file");
  const std::string none = expected + "no \"format\" and \"version\": give a file that Retia wrote";
  EXPECT_EQ(error({{"version", 2}}), none);
  EXPECT_EQ(error({{"format", "retia.architecture"}, {"version", "2"}}), none);
  EXPECT_EQ(error(json::array()), none);
}

}  // namespace
}  // namespace retia
