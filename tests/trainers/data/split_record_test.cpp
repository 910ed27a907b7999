#include "retia/trainers/data/split_record.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "retia/engine/io/files.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/error_of.h"
#include "retia/trainers/data/data_sets.h"

namespace retia {
namespace {

DataSplits images() {
  return standard_data_sets().load(
      {.name = "synthetic", .synthetic = {.n_train = 40, .n_test = 10}});
}

TEST(SplitRecord, RecognisesSamplesInAnotherOrderWithOtherLabels) {
  const Dataset set = images().train;
  std::vector<int64_t> backwards;
  for (int64_t i = set.size(); i-- > 0;) {
    backwards.push_back(i);
  }
  Dataset other = set.subset(backwards);
  other.targets = at::zeros_like(other.targets);
  std::vector<uint64_t> hashes = content_hashes(other);
  std::reverse(hashes.begin(), hashes.end());
  EXPECT_EQ(hashes, content_hashes(set));
  other.inputs = other.inputs.clone();
  other.inputs[3].view(-1)[63] += 1;  // the last pixel of one image
  EXPECT_EQ(found_in(content_hashes(other), content_hashes(set)).size(), 39u);
}

TEST(SplitRecord, IsReadAsItWasWritten) {
  const TemporaryFolder folder;
  const DataSplits data = images();
  EXPECT_FALSE(read_split(folder.path()).has_value());
  const SplitRecord record = record_of(data, split_of(data.train, 0.25, 3), 0.25, 3);
  EXPECT_EQ(record.valid.size(), 10u);
  EXPECT_EQ(record.test, content_hashes(data.test));
  write_split(folder.path(), record);
  EXPECT_EQ(read_split(folder.path()), record);
  const Json json = read_json(folder / "split.json");
  EXPECT_EQ(json.at("train").at("samples"), 30);
  EXPECT_EQ(json.at("format"), "retia.split");
  // Hashes of SplitMix64's finaliser do not differ between machines.
  EXPECT_EQ(json.at("seed"), 3);
}

TEST(SplitRecord, RefusesHashesThatItDoesNotDescribe) {
  const TemporaryFolder folder;
  const DataSplits data = images();
  write_split(folder.path(), record_of(data, split_of(data.train, 0.25, 3), 0.25, 3));
  const std::string hashes = read_file(folder / "split.safetensors");
  write_split(folder.path(), record_of(data, split_of(data.train, 0.25, 4), 0.25, 4));
  write_plainly(folder / "split.safetensors", hashes);
  EXPECT_THAT(error_of([&] { read_split(folder.path()); }),
              testing::HasSubstr("it does not describe the hashes"));
}

}  // namespace
}  // namespace retia
