#include "retia/trainers/data/csv.h"

#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "retia/engine/io/options.h"
#include "retia/tests/trainers/data/data_files.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// What reading `text` from a file gives.
Dataset table(const std::string& text, const CsvOptions& options = {}) {
  const TemporaryFolder folder;
  write_plainly(folder / "t.csv", text);
  return read_csv_file(folder / "t.csv", options);
}

/// The error of reading `text`, from behind the file's name on.
std::string error(const std::string& text, const CsvOptions& options = {}) {
  const TemporaryFolder folder;
  write_plainly(folder / "t.csv", text);
  const std::string message = error_of([&] { read_csv_file(folder / "t.csv", options); });
  const std::string name = (folder / "t.csv").string();
  EXPECT_EQ(message.rfind(name, 0), 0) << message;
  return message.substr(std::min(name.size(), message.size()));
}

TEST(Csv, ReadsNumbersWithoutAHeaderAndTakesTheLastColumnAsClass) {
  const Dataset set = table("1,2.5,0\n-3e1,+4,2\n");
  EXPECT_TRUE(set.inputs.equal(at::tensor({1.f, 2.5f, -30.f, 4.f}).view({2, 2})));
  EXPECT_TRUE(set.targets.equal(at::tensor({0, 2}, at::kLong)));
  EXPECT_EQ(set.n_classes, 3);
}

TEST(Csv, TakesTheTargetByNameOrNumber) {
  const std::string text = "\"a\", kind ,b\n1,0,2\n3,1,4\n";
  for (const char* const target : {"kind", "1"}) {
    const Dataset set = table(text, {.target = target});
    EXPECT_TRUE(set.inputs.equal(at::tensor({1.f, 2.f, 3.f, 4.f}).view({2, 2})));
    EXPECT_TRUE(set.targets.equal(at::tensor({0, 1}, at::kLong)));
  }
}

TEST(Csv, KeepsRealTargetsForRegression) {
  const Dataset set = table("1,2.5\n3,-4\n", {.task = CsvTask::Regression});
  EXPECT_TRUE(set.targets.equal(at::tensor({2.5f, -4.f})));
  EXPECT_EQ(set.n_classes, 0);
}

TEST(Csv, ReadsOtherSeparatorsQuotesEmptyLinesAndLineEndings) {
  const Dataset set = table("\xef\xbb\xbf\"a;\"\"x\";b\r\n\r\n\"1\";0\r\n2;1", {.separator = ";"});
  EXPECT_TRUE(set.inputs.equal(at::tensor({1.f, 2.f}).view({2, 1})));
  EXPECT_EQ(table("\xef\xbb\xbf"
                  "1,0\n2,1\n")
                .size(),
            2);
  EXPECT_EQ(table("1 0\n2 1\n", {.separator = " "}).size(), 2);
}

TEST(Csv, NamesLineAndColumnOfWhatIsNoNumber) {
  EXPECT_EQ(error("a,b,c\n1,2,0\n\n1,red,1\n"),
            ", line 4, column 1 ('b'): expected a number, but got 'red'");
  EXPECT_EQ(error("1,2\n,1\n"), ", line 2, column 0: expected a number, but got ''");
  EXPECT_THAT(error("1,2\nnan,1\n"), HasSubstr("expected a number"));
  EXPECT_THAT(error("1,2\n1e39,1\n"), HasSubstr("expected a number"));
  EXPECT_THAT(error("1,2\n1x,1\n"), HasSubstr("expected a number"));
}

TEST(Csv, NamesALineWithMoreOrFewerColumns) {
  EXPECT_EQ(error("1,2,3\n1,2\n"),
            ", line 2: expected 3 columns as in the first line, but there are 2");
  EXPECT_THAT(error("1,2,3\n1,2,3,4\n"), HasSubstr("but there are 4"));
}

TEST(Csv, RefusesATableWithoutRowsOrFeatures) {
  EXPECT_THAT(error(""), HasSubstr("no row of numbers"));
  EXPECT_THAT(error("a,b\n"), HasSubstr("no row of numbers"));
  EXPECT_THAT(error("1\n2\n"), AllOf(HasSubstr("one column"), HasSubstr("separator")));
  EXPECT_THAT(error("a;b\n1;2\n"), HasSubstr("expected a number, but got '1;2'"));
}

TEST(Csv, RefusesATargetColumnThatIsNotThere) {
  EXPECT_THAT(error("width,height\n1,2\n", {.target = "widht"}), HasSubstr("'width'"));
  EXPECT_THAT(error("1,2\n", {.target = "width"}), HasSubstr("it has no header"));
  EXPECT_THAT(error("1,2\n", {.target = "2"}), HasSubstr("columns 0 … 1"));
  EXPECT_THAT(error("1,2\n", {.target = "-1"}), HasSubstr("columns 0 … 1"));
}

TEST(Csv, RefusesTargetsThatAreNoClasses) {
  EXPECT_THAT(error("1,0\n1,0.5\n"),
              AllOf(HasSubstr("line 2, column 1"), HasSubstr("got 0.5"), HasSubstr("regression")));
  EXPECT_THAT(error("1,-1\n"), HasSubstr("got -1"));
}

TEST(Csv, SplitsTheRowsOfOneFile) {
  const TemporaryFolder folder;
  std::string rows;
  for (int i = 0; i < 50; ++i) {
    rows += std::to_string(i) + "," + std::to_string(i % 3) + "\n";
  }
  write_gzipped(folder / "t.csv.gz", rows);
  const DataSplits splits = read_csv(folder / "t.csv.gz", {.test_fraction = 0.3});
  EXPECT_EQ(splits.train.size(), 35);
  EXPECT_EQ(splits.test.size(), 15);
  EXPECT_EQ(splits.train.inputs.sum().item<double>() + splits.test.inputs.sum().item<double>(),
            49 * 50 / 2);
  const DataSplits other = read_csv(folder / "t.csv.gz", {.test_fraction = 0.3, .split_seed = 1});
  EXPECT_FALSE(splits.test.inputs.equal(other.test.inputs));
  EXPECT_THAT(error_of([&] { read_csv(folder / "t.csv.gz", {.test_fraction = 1}); }),
              HasSubstr("test_fraction"));
  EXPECT_THAT(error_of([&] { read_csv(folder / "t.csv.gz", {.test_fraction = 0.001}); }),
              HasSubstr("too few"));
}

TEST(Csv, ReadsBothPartsFromAFolder) {
  const TemporaryFolder folder;
  write_plainly(folder / "train.csv", "1,0\n2,1\n");
  EXPECT_THAT(error_of([&] { read_csv(folder.path(), {}); }),
              HasSubstr((folder / "test.csv").string()));
  write_plainly(folder / "test.csv", "3,4\n");
  const DataSplits splits = read_csv(folder.path(), {});
  EXPECT_EQ(splits.train.size(), 2);
  EXPECT_EQ(splits.test.size(), 1);
  EXPECT_EQ(splits.train.n_classes, 5);
  EXPECT_EQ(splits.test.n_classes, 5);
  write_plainly(folder / "test.csv", "3,3,4\n");
  EXPECT_THAT(error_of([&] { read_csv(folder.path(), {}); }), HasSubstr("features"));
}

TEST(Csv, TakesOptionsFromJson) {
  const CsvOptions options =
      options_from_json<CsvOptions>({{"task", "regression"}, {"target", "price"}}, "csv");
  EXPECT_EQ(options.task, CsvTask::Regression);
  EXPECT_EQ(options.target, "price");
  EXPECT_THROW(options_from_json<CsvOptions>({{"task", "ranking"}}, "csv"), c10::Error);
}

}  // namespace
}  // namespace retia
