#include "retia/trainers/data/data_sets.h"

#include <ATen/ops/full.h>
#include <gmock/gmock.h>
#include <stdlib.h>

#include <optional>

#include "retia/tests/trainers/data/data_files.h"
#include "retia/trainers/data/split.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsSupersetOf;

/// $RETIA_DATA while this lives.
class DataVariable {
 public:
  explicit DataVariable(const std::string& value) {
    if (const char* const before = getenv("RETIA_DATA")) {
      before_ = before;
    }
    setenv("RETIA_DATA", value.c_str(), 1);
  }
  DataVariable(const DataVariable&) = delete;
  DataVariable& operator=(const DataVariable&) = delete;
  ~DataVariable() {
    if (before_.has_value()) {
      setenv("RETIA_DATA", before_->c_str(), 1);
    } else {
      unsetenv("RETIA_DATA");
    }
  }

 private:
  std::optional<std::string> before_;
};

TEST(DataSets, AreListedByName) {
  EXPECT_THAT(standard_data_sets().names(), IsSupersetOf({"cifar10", "csv", "digits"}));
}

TEST(DataSets, LoadWithTheStatisticsOfTheTrainingPart) {
  const DataSplits splits = standard_data_sets().load({.name = "synthetic"});
  EXPECT_EQ(splits.train.name, "synthetic");
  ASSERT_EQ(splits.train.mean.size(), 1);
  EXPECT_NEAR(splits.train.mean[0], splits.train.inputs.to(at::kDouble).mean().item<double>() / 255,
              1e-9);
  EXPECT_EQ(splits.test.mean, splits.train.mean);
}

TEST(DataSets, TakeSamplesOfEachClassWhereLimited) {
  const DataSets sets = standard_data_sets();
  const DataSplits all = sets.load({.name = "synthetic"});
  const DataSplits some = sets.load({.name = "synthetic", .limit = 30});
  const std::vector<int64_t> drawn = drawn_samples(all.train, 30, 0);
  EXPECT_TRUE(some.train.inputs.equal(all.train.subset(drawn).inputs));
  EXPECT_TRUE(some.train.targets.bincount().equal(at::full({10}, 3, at::kLong)));
  EXPECT_TRUE(some.test.inputs.equal(all.test.inputs));
  EXPECT_NE(some.train.mean, all.train.mean);
  EXPECT_EQ(sets.load({.name = "synthetic", .limit = 1 << 20}).train.size(), all.train.size());
  EXPECT_THROW(sets.load({.name = "synthetic", .limit = -1}), c10::Error);
}

TEST(DataSets, ReadFilesFromTheGivenFolder) {
  const TemporaryFolder folder;
  write_idx_folder(folder.path());
  const DataSplits splits =
      standard_data_sets().load({.name = "mnist", .dir = folder.path().string()});
  EXPECT_EQ(splits.train.size(), 20);
  EXPECT_EQ(splits.test.name, "mnist");
}

TEST(DataSets, LookInTheFolderThatTheEnvironmentNames) {
  const TemporaryFolder folder;
  write_idx_folder(folder / "digits");
  const DataVariable variable(folder.path().string());
  EXPECT_EQ(data_folder({.name = "digits"}), folder / "digits");
  EXPECT_EQ(standard_data_sets().load({}).train.size(), 20);
}

TEST(DataSets, SayWhatToDoWhereFilesAreMissing) {
  const TemporaryFolder folder;
  EXPECT_THAT(error_of([&] { data_folder({.name = "digits", .dir = (folder / "no").string()}); }),
              AllOf(HasSubstr("'digits'"), HasSubstr((folder / "no").string())));
  EXPECT_THAT(error_of([] { data_folder({.name = "unheard of"}); }),
              AllOf(HasSubstr("'unheard of'"), HasSubstr("--data-dir")));
  EXPECT_THAT(error_of([] { standard_data_sets().load({.name = "csv"}); }),
              HasSubstr("--data-dir"));
}

TEST(DataSets, NameTheNearestWhereANameIsUnknown) {
  EXPECT_EQ(error_of([] { standard_data_sets().load({.name = "fashion_minst"}); }),
            "unknown data set 'fashion_minst'; did you mean 'fashion-mnist'?");
}

TEST(DataSets, TakeFurtherOnesButNoNameTwice) {
  DataSets sets = standard_data_sets();
  const auto loader = [](const DataOptions& options) { return make_synthetic(options.synthetic); };
  sets.add("mine", loader);
  EXPECT_EQ(sets.load({.name = "mine"}).test.name, "mine");
  EXPECT_THROW(sets.add("mine", loader), c10::Error);
}

TEST(DataSets, RefuseALoaderWhosePartsDoNotFit) {
  DataSets sets;
  sets.add("broken", [](const DataOptions& options) {
    DataSplits splits = make_synthetic(options.synthetic);
    splits.test.targets = splits.test.targets.slice(0, 1);
    return splits;
  });
  EXPECT_THAT(error_of([&] { sets.load({.name = "broken"}); }),
              AllOf(HasSubstr("'broken'"), HasSubstr("targets")));
}

}  // namespace
}  // namespace retia
