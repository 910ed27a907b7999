#include "retia/trainers/data/cifar.h"

#include <gmock/gmock.h>

#include "retia/tests/trainers/data/data_files.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr size_t kPlane = 1024;

/// A record whose pixels are `label` in red, label + 10 in green, label + 20 in blue.
std::string record(char label) {
  std::string bytes(1, label);
  for (const char plane : {0, 10, 20}) {
    bytes += std::string(kPlane, static_cast<char>(label + plane));
  }
  return bytes;
}

void write_cifar10_folder(const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (char i = 1; i <= 5; ++i) {
    write_plainly(folder / ("data_batch_" + std::to_string(i) + ".bin"), record(i) + record(0));
  }
  write_gzipped(folder / "test_batch.bin.gz", record(9));
}

void expect_the_folder(const DataSplits& splits) {
  EXPECT_EQ(splits.train.inputs.sizes(), (std::vector<int64_t>{10, 3, 32, 32}));
  EXPECT_EQ(splits.test.inputs.sizes(), (std::vector<int64_t>{1, 3, 32, 32}));
  for (int64_t i = 0; i < 10; ++i) {
    const int64_t label = i % 2 == 0 ? i / 2 + 1 : 0;
    EXPECT_EQ(splits.train.targets[i].item<int64_t>(), label);
    for (int64_t channel = 0; channel < 3; ++channel) {
      EXPECT_TRUE(splits.train.inputs[i][channel].eq(label + 10 * channel).all().item<bool>());
    }
  }
  EXPECT_EQ(splits.test.targets[0].item<int64_t>(), 9);
  EXPECT_EQ(splits.train.n_classes, 10);
}

TEST(Cifar, ReadsTheFilesInTheFolderOrItsOfficialSubfolder) {
  const TemporaryFolder folder;
  write_cifar10_folder(folder / "here");
  expect_the_folder(read_cifar10_folder(folder / "here"));
  write_cifar10_folder(folder / "above" / "cifar-10-batches-bin");
  expect_the_folder(read_cifar10_folder(folder / "above"));
}

TEST(Cifar, NamesAMissingFile) {
  const TemporaryFolder folder;
  write_cifar10_folder(folder.path());
  std::filesystem::remove(folder / "data_batch_4.bin");
  EXPECT_THAT(error_of([&] { read_cifar10_folder(folder.path()); }),
              HasSubstr((folder / "data_batch_4.bin").string()));
}

TEST(Cifar, RefusesAFileThatIsCutShort) {
  const TemporaryFolder folder;
  for (const size_t length : {size_t{0}, size_t{3072}, size_t{3074}}) {
    write_plainly(folder / "batch.bin", (record(1) + record(2)).substr(0, length));
    EXPECT_THAT(error_of([&] { read_cifar10_file(folder / "batch.bin"); }),
                AllOf(HasSubstr((folder / "batch.bin").string()), HasSubstr("cut short"),
                      HasSubstr("holds " + std::to_string(length) + " bytes")));
  }
}

TEST(Cifar, NamesALabelOutOfRange) {
  const TemporaryFolder folder;
  write_plainly(folder / "batch.bin", record(1) + record(10));
  EXPECT_EQ(error_of([&] { read_cifar10_file(folder / "batch.bin"); }),
            (folder / "batch.bin").string() + ": label 1 is 10, but must be one of 0 … 9");
}

}  // namespace
}  // namespace retia
