#include "retia/trainers/data/description.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <gtest/gtest.h>

#include "retia/tests/trainers/data/data_files.h"

namespace retia {
namespace {

DataOptions table(const std::filesystem::path& path) {
  return {.name = "csv", .dir = path, .csv = {.test_fraction = 0.25}};
}

TEST(Description, IsEqualForEqualSamplesWhereverTheyLie) {
  const TemporaryFolder folder;
  const DataSets sets = standard_data_sets();
  const std::string rows = "a,b,class\n1,2,0\n3,4,1\n5,6,0\n7,8,1\n";
  write_plainly(folder / "a.csv", rows);
  write_gzipped(folder / "b.csv.gz", rows);
  const DataSplits plain = sets.load(table(folder / "a.csv"));
  const DataSplits packed = sets.load(table(folder / "b.csv.gz"));
  EXPECT_EQ(digest_of(plain), digest_of(packed));
  const Json described = describe(plain, table(folder / "a.csv"));
  EXPECT_EQ(described["n_train"], 3);
  EXPECT_EQ(described["n_test"], 1);
  EXPECT_EQ(described["n_classes"], 2);
  EXPECT_EQ(described["columns"].size(), 3u);
  EXPECT_EQ(described["files"][0]["name"], "a.csv");
  EXPECT_EQ(data_difference(described, describe(packed, table(folder / "b.csv.gz"))), "");
}

TEST(Description, NamesTheFirstFileAndColumnThatDiffer) {
  const TemporaryFolder folder;
  const DataSets sets = standard_data_sets();
  const auto described = [&](const std::string& rows) {
    write_plainly(folder / "a.csv", rows);
    return describe(sets.load(table(folder / "a.csv")), table(folder / "a.csv"));
  };
  const Json before = described("a,b,class\n1,2,0\n3,4,1\n5,6,0\n7,8,1\n");
  const std::string value =
      data_difference(before, described("a,b,class\n1,2,0\n3,4.5,1\n5,6,0\n7,8,1\n"));
  EXPECT_EQ(value.substr(0, value.find(" (")), "file a.csv, feature 1");
  const std::string reversed =
      data_difference(before, described("a,b,class\n7,8,1\n5,6,0\n3,4,1\n1,2,0\n"));
  EXPECT_EQ(reversed.substr(0, 21), "file a.csv, feature 0");
  EXPECT_EQ(data_difference(before, described("a,b,class\n1,2,0\n3,4,1\n5,6,0\n7,8,1\n9,9,0\n")),
            "n_train was 3 and is 4 now");
}

TEST(Description, LoadsRowsThatCannotBeSplit) {
  const TemporaryFolder folder;
  write_plainly(folder / "a.csv", "a,b,class\n1,2,1\n");
  const Dataset one = load_whole(standard_data_sets(), table(folder / "a.csv"));
  EXPECT_EQ(one.size(), 1);
  EXPECT_EQ(one.n_classes, 2);
  write_idx_folder(folder / "images");
  const DataOptions images = {.name = "mnist", .dir = folder / "images", .limit = 5};
  EXPECT_EQ(load_whole(standard_data_sets(), images).size(), 30);
  EXPECT_EQ(data_files(images).size(), 4u);
}

TEST(Description, CarriesTheNormalisationToOtherSets) {
  Dataset set{.name = "x", .inputs = at::arange(6, at::kFloat).view({3, 2}), .targets = {}};
  set_normalisation(set, {{"mean", {1.5, 2.5}}, {"std", {3.0, 4.0}}});
  EXPECT_EQ(set.mean, (std::vector<double>{1.5, 2.5}));
  EXPECT_EQ(normalisation_of(set), Json({{"mean", {1.5, 2.5}}, {"std", {3.0, 4.0}}}));
  EXPECT_EQ(error_of([&] {
              set_normalisation(set, {{"mean", {1.0}}, {"std", {1.0}}});
            }),
            "data set 'x' has 2 features, but the model was trained on 1: give data of the same "
            "kind");
}

}  // namespace
}  // namespace retia
