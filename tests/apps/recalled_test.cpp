#include "retia/apps/recalled.h"

#include <gmock/gmock.h>

#include "retia/engine/space/architecture_json.h"
#include "retia/tests/apps/program_runs.h"
#include "retia/tests/trainers/data/data_files.h"

namespace retia {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

/// Two features, two classes: the class is the sign of the sum.
void write_table(const std::filesystem::path& path) {
  std::string text = "a,b,class\n";
  for (int i = 0; i < 40; ++i) {
    const int sign = i % 2;
    text += std::to_string((sign != 0 ? 1 : -1) * (1 + i % 5)) + ',' +
            std::to_string(sign != 0 ? i % 3 : -(i % 3)) + ',' + std::to_string(sign) + '\n';
  }
  write_plainly(path, text);
}

class Recall : public testing::Test {
 protected:
  /// A search of a table in a space with options that are not the defaults.
  void SetUp() override {
    write_table(folder_ / "table.csv");
    const Ended ended = run_program({"search",
                                     "--space",
                                     "mlp",
                                     "--set",
                                     "space.widths=[8,16]",
                                     "--set",
                                     "space.layers=1",
                                     "--algorithm",
                                     "random",
                                     "--data",
                                     "csv",
                                     "--data-dir",
                                     folder_ / "table.csv",
                                     "--batch-size",
                                     "8",
                                     "--epochs",
                                     "1",
                                     "--threads",
                                     "1",
                                     "--set",
                                     "algorithm.n_candidates=2",
                                     "--out",
                                     search()});
    ASSERT_EQ(ended.code, kDone) << ended.err;
  }

  std::string search() const { return folder_ / "search"; }
  std::string found() const { return search() + "/architecture.json"; }
  std::string out(const std::string& name) const { return folder_ / name; }
  Words training(const std::string& name) const {
    return {"--batch-size", "8", "--epochs", "1", "--threads", "1", "--out", out(name)};
  }

  TemporaryFolder folder_;
};

TEST_F(Recall, ARetrainingNeedsNoOptionThatItsSearchWasGiven) {
  const Ended by_run = run_program(joined({"retrain", search()}, training("a")));
  ASSERT_EQ(by_run.code, kDone) << by_run.err;
  const Ended by_file = run_program(joined(
      {"retrain", "--architecture", found(), "--data", "csv", "--data-dir", folder_ / "table.csv"},
      training("b")));
  ASSERT_EQ(by_file.code, kDone) << by_file.err;
  EXPECT_EQ(by_run.out, by_file.out);
  EXPECT_EQ(read_json(out("a") + "/space.json"), read_json(search() + "/space.json"));
  EXPECT_EQ(read_json(out("a") + "/architecture.json"), read_json(found()));
  expect_equal_runs(out("a"), out("b"));

  const Ended scored = run_program({"evaluate", out("a"), "--threads", "1"});
  ASSERT_EQ(scored.code, kDone) << scored.err;
  EXPECT_THAT(by_run.out, HasSubstr(scored.out.substr(scored.out.find("test accuracy"))));
}

TEST_F(Recall, NamesAnOptionThatIsGivenOtherwise) {
  const Ended told = run_program(
      joined({"retrain", search(), "--quiet", "--set", "space.widths=[4,8,16]"}, training("a")));
  ASSERT_EQ(told.code, kDone) << told.err;
  EXPECT_EQ(told.err, "space.widths was [8,16] for " + found() + " and is [4,8,16] now\n");
  EXPECT_EQ(read_json(out("a") + "/architecture.json")["evaluation"]["widths"], Json({4, 8, 16}));
  EXPECT_EQ(run_program({"evaluate", out("a"), "--threads", "1"}).code, kDone);
  const Ended refused =
      run_program({"evaluate", out("a"), "--space", "mlp", "--set", "space.widths=[8,16]"});
  EXPECT_EQ(refused.code, kBadUsage);
  EXPECT_THAT(refused.err,
              HasSubstr("space.widths was [4,8,16] in " + out("a") + " and is [8,16] now"));
}

TEST_F(Recall, LeavesWhatIsGiven) {
  const Program program;
  const Json given = {{"run", {{"checkpoint", search()}}},
                      {"data", {{"name", "csv"}, {"dir", "other.csv"}}}};
  const Recalled run = recalled(program, "evaluate", given);
  EXPECT_EQ(run.given["data"]["dir"], "other.csv");
  EXPECT_EQ(run.given["data"]["csv"]["test_fraction"], 0.2);
  EXPECT_EQ(run.given["space"]["name"], "mlp");
  EXPECT_EQ(run.given["run"]["architecture"], found());
  EXPECT_THAT(run.differences, IsEmpty());
  const Recalled other = recalled(
      program, "evaluate", {{"run", {{"checkpoint", search()}}}, {"data", {{"name", "digits"}}}});
  EXPECT_EQ(other.given["data"], Json({{"name", "digits"}}));
}

TEST_F(Recall, SaysWhichFileCannotBeRead) {
  const std::string none = folder_ / "none.json";
  const Ended ended = run_program(joined({"retrain", none}, training("a")));
  EXPECT_EQ(ended.code, kBadUsage);
  EXPECT_THAT(ended.err, HasSubstr(none + ": cannot be opened"));
}

TEST(RecalledOptions, OfTheSearchNetworkCountInAnotherOnlyWhereTheMethodLetsThem) {
  const TemporaryFolder folder;
  write_json(folder / "a.json", {{"format", "retia.architecture"},
                                 {"version", 1},
                                 {"space", "darts_cnn"},
                                 {"options", {{"channels", 2}, {"layers", 3}, {"nodes", 2}}},
                                 {"choices", Json::object()}});
  const Json given = {{"run", {{"architecture", (folder / "a.json").string()}}}};
  const Program program;
  EXPECT_EQ(recalled(program, "retrain", given).given["space"],
            Json({{"name", "darts_cnn"}, {"nodes", 2}}));
  EXPECT_EQ(recalled(program, "trial", given).given["space"],
            Json({{"name", "darts_cnn"}, {"channels", 2}, {"layers", 3}, {"nodes", 2}}));
}

TEST(RecalledOptions, OfASpaceInAFileAreTheFileBesideTheArchitecture) {
  const TemporaryFolder folder;
  const Json document = {{"format", "retia.architecture"},
                         {"version", 1},
                         {"space", "gone/space.json"},
                         {"choices", Json::object()}};
  write_json(folder / "architecture.json", document);
  const Json given = {{"run", {{"architecture", folder.path().string()}}},
                      {"space", {{"name", ""}}}};
  write_json(folder / "config.json",
             {{"format", "retia.config"}, {"version", 1}, {"data", Json::object()}});
  const Program program;
  EXPECT_EQ(recalled(program, "retrain", given).given["space"]["name"], "gone/space.json");
  write_plainly(folder / "space.json", "{}");
  EXPECT_EQ(recalled(program, "retrain", given).given["space"]["name"],
            (folder / "space.json").string());
}

}  // namespace
}  // namespace retia
