#include "retia/apps/run_record.h"

#include <gmock/gmock.h>

#include "retia/engine/ir/graph_difference.h"
#include "retia/engine/ir/json.h"
#include "retia/engine/operations/table.h"
#include "retia/tests/apps/two_clusters.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

/// A table, a search on it, and a retraining of what it found.
class RunRecords : public testing::Test {
 protected:
  void SetUp() override {
    write_plainly(folder_ / "table.csv", two_clusters(200));
    Ended ended = run_program(on_table(
        "search", table(), {"--algorithm", "random", "--epochs", "1", "--out", out("search")}));
    ASSERT_EQ(ended.code, kDone) << ended.err;
    ended = run_program(joined({"retrain", out("search"), "--tag", "toy,first", "--note", "a try"},
                               {"--batch-size", "32", "--epochs", "10", "--threads", "1", "--quiet",
                                "--out", out("run")}));
    ASSERT_EQ(ended.code, kDone) << ended.err;
    ASSERT_THAT(ended.out, HasSubstr("accuracy 100.00 %"));
  }

  std::string table() const { return folder_ / "table.csv"; }
  std::string out(const std::string& name) const { return folder_ / name; }
  /// Scores the run on a table of these rows.
  Ended score(const std::string& rows) const {
    write_plainly(folder_ / "rows.csv", rows);
    return run_program({"evaluate", out("run"), "--data", "csv", "--data-dir", folder_ / "rows.csv",
                        "--threads", "1"});
  }

  TemporaryFolder folder_;
};

TEST_F(RunRecords, SayWhatARunIsMadeOf) {
  const Json record = read_run_record(out("run"));
  const ir::Graph graph =
      ir::graph_from_json(read_json(out("run") + "/space.json"), standard_operations());
  EXPECT_EQ(record["graph"]["digest"], ir::digest(graph));
  EXPECT_EQ(record["graph"]["graph"], ir::to_json(graph));
  EXPECT_EQ(record["options"]["trainer"]["epochs"], 10);
  const Json& data = record["data"];
  EXPECT_EQ(data["n_train"], 160);
  EXPECT_EQ(data["n_test"], 40);
  EXPECT_EQ(data["n_classes"], 2);
  EXPECT_EQ(data["columns"].size(), 3u);
  EXPECT_EQ(data["files"][0]["name"], "table.csv");
  EXPECT_EQ(data["files"][0]["size"], read_file(table()).size());
  EXPECT_NEAR(data["normalisation"]["mean"][0].get<double>(), 5.2, 1);
  EXPECT_NEAR(data["normalisation"]["std"][0].get<double>(), 5, 0.5);
  EXPECT_EQ(record["tags"], Json({"toy", "first"}));
  EXPECT_EQ(record["note"], "a try");
  EXPECT_EQ(record["parents"], Json({std::filesystem::weakly_canonical(out("search")).string()}));
  ASSERT_EQ(record["processes"].size(), 1u);
  EXPECT_EQ(record["processes"][0]["command_line"][0], "retrain");
  EXPECT_EQ(record["processes"][0]["threads"], 1);
}

TEST_F(RunRecords, LetOtherRowsBeScoredByTheNormalisationOfTheTraining) {
  for (const int only : {0, 1}) {
    const Ended scored = score(clusters(std::vector<int>(200, only)));
    ASSERT_EQ(scored.code, kDone) << scored.err;
    EXPECT_THAT(scored.out, AllOf(StartsWith("scored on all 200 samples of csv"),
                                  EndsWith("accuracy 100.00 %\n")));
  }
  const Ended one = score(clusters({1}));
  ASSERT_EQ(one.code, kDone) << one.err;
  EXPECT_THAT(one.out,
              AllOf(StartsWith("scored on all 1 samples of csv"), EndsWith("accuracy 100.00 %\n")));
  const Ended shifted = score("a,b,class\n0.0,1.0,2\n");
  EXPECT_EQ(shifted.code, kFailed);
  EXPECT_THAT(shifted.err, HasSubstr("has 3 classes, but the model was trained to tell 2 apart"));
}

TEST_F(RunRecords, LetTheSameRowsBeScoredWhereverTheyLie) {
  const Ended own = run_program({"evaluate", out("run"), "--threads", "1"});
  ASSERT_EQ(own.code, kDone) << own.err;
  EXPECT_THAT(own.out, HasSubstr("test accuracy 100.00 %"));
  EXPECT_EQ(score(two_clusters(200)).out, own.out);
}

TEST_F(RunRecords, ARunOnAPartOfItsDataIsScoredAlikeWithoutTheLimit) {
  const Words limited = {
      "--set", "data.limit=50", "--batch-size", "32",          "--epochs", "1", "--threads",
      "1",     "--quiet",       "--out",        out("limited")};
  const Ended trained = run_program(joined({"retrain", out("search")}, limited));
  ASSERT_EQ(trained.code, kDone) << trained.err;
  const Ended with =
      run_program({"evaluate", out("limited"), "--threads", "1", "--set", "data.limit=50"});
  const Ended without = run_program({"evaluate", out("limited"), "--threads", "1"});
  ASSERT_EQ(with.code, kDone) << with.err;
  EXPECT_EQ(with.out, without.out);
  EXPECT_THAT(trained.out, HasSubstr(without.out.substr(without.out.find("test accuracy"))));
}

TEST_F(RunRecords, TravelInCheckpoints) {
  const Json data = newest_checkpoint(out("run")).state.at("data");
  EXPECT_EQ(data["normalisation"], read_run_record(out("run"))["data"]["normalisation"]);
  EXPECT_EQ(data["n_classes"], 2);
}

TEST(RunRecord, IsNullWhereAnOlderVersionWroteNone) {
  const TemporaryFolder folder;
  EXPECT_TRUE(read_run_record(folder.path()).is_null());
}

}  // namespace
}  // namespace retia
