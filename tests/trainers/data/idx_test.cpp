#include "retia/trainers/data/idx.h"

#include <ATen/ops/arange.h>
#include <gmock/gmock.h>

#include "retia/tests/trainers/data/data_files.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(Idx, ReadsImagesAndLabelsPackedAndPlain) {
  const TemporaryFolder folder;
  write_idx_folder(folder.path());
  const DataSplits splits = read_idx_folder(folder.path(), 10);
  EXPECT_EQ(splits.train.inputs.sizes(), (std::vector<int64_t>{20, 1, 4, 3}));
  EXPECT_EQ(splits.test.inputs.sizes(), (std::vector<int64_t>{10, 1, 4, 3}));
  EXPECT_TRUE(splits.train.inputs.flatten().equal(at::arange(240, at::kByte)));
  EXPECT_TRUE(splits.train.targets.equal(at::arange(20).remainder(10)));
  EXPECT_EQ(splits.test.targets.scalar_type(), at::kLong);
  EXPECT_EQ(splits.train.n_classes, 10);
}

TEST(Idx, NamesAMissingFile) {
  const TemporaryFolder folder;
  write_idx_folder(folder.path());
  std::filesystem::remove(folder / "t10k-labels-idx1-ubyte");
  EXPECT_THAT(error_of([&] { read_idx_folder(folder.path(), 10); }),
              HasSubstr((folder / "t10k-labels-idx1-ubyte").string()));
}

TEST(Idx, RefusesFilesThatAreNotAsTheirHeaderSays) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "images";
  const auto error = [&](const std::string& bytes) {
    write_plainly(path, bytes);
    return error_of([&] { read_idx_images(path); });
  };
  EXPECT_EQ(error(idx_bytes(2051, {2, 2, 2}, counting_bytes(8))), "(no error)");
  EXPECT_THAT(error(""), AllOf(HasSubstr(path.string()), HasSubstr("cut short")));
  EXPECT_THAT(error(idx_bytes(2051, {2}, "")), HasSubstr("cut short"));
  EXPECT_THAT(error(idx_bytes(2049, {2, 2, 2}, counting_bytes(8))),
              AllOf(HasSubstr(path.string()), HasSubstr("2051"), HasSubstr("2049")));
  EXPECT_THAT(error(idx_bytes(2051, {2, 2, 2}, counting_bytes(7))),
              AllOf(HasSubstr(path.string()), HasSubstr("[2, 2, 2]"), HasSubstr("7 follow")));
  EXPECT_THAT(error(idx_bytes(2051, {2, 2, 2}, counting_bytes(9))), HasSubstr("9 follow"));
  EXPECT_THAT(error(idx_bytes(2051, {0, 2, 2}, "")), HasSubstr("empty"));
}

TEST(Idx, RefusesSizesWhoseProductWrapsAround) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "images";
  write_plainly(path, idx_bytes(2051, {1u << 31, 1u << 31, 4}, ""));
  EXPECT_THAT(error_of([&] { read_idx_images(path); }), HasSubstr("0 follow"));
}

TEST(Idx, NamesALabelOutOfRange) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "labels";
  write_plainly(path, idx_bytes(2049, {4}, std::string("\0\3\12\1", 4)));
  EXPECT_EQ(error_of([&] { read_idx_labels(path, 10); }),
            path.string() + ": label 2 is 10, but must be one of 0 … 9");
}

TEST(Idx, RefusesImagesAndLabelsOfUnequalNumber) {
  const TemporaryFolder folder;
  write_idx_folder(folder.path());
  write_plainly(folder / "t10k-labels-idx1-ubyte", idx_bytes(2049, {9}, counting_bytes(9, 10)));
  EXPECT_THAT(error_of([&] { read_idx_folder(folder.path(), 10); }),
              AllOf(HasSubstr((folder / "t10k-images-idx3-ubyte").string()), HasSubstr("10 images"),
                    HasSubstr("9 labels")));
}

TEST(Idx, RefusesTestImagesOfAnotherSize) {
  const TemporaryFolder folder;
  write_idx_folder(folder.path());
  write_plainly(folder / "t10k-images-idx3-ubyte", idx_bytes(2051, {10, 3, 3}, counting_bytes(90)));
  EXPECT_THAT(
      error_of([&] { read_idx_folder(folder.path(), 10); }),
      AllOf(HasSubstr(folder.path().string()), HasSubstr("[1, 4, 3]"), HasSubstr("[1, 3, 3]")));
}

}  // namespace
}  // namespace retia
