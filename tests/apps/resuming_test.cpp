#include "retia/apps/resuming.h"

#include <gmock/gmock.h>

#include "retia/apps/run_record.h"
#include "retia/tests/apps/two_clusters.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// A finished training on a table.
class Resuming : public testing::Test {
 protected:
  void SetUp() override {
    write_plainly(folder_ / "table.csv", two_clusters(200));
    write_plainly(folder_ / "a.json", R"({"width0": 8, "activation0": "relu"})");
  }

  std::string table() const { return folder_ / "table.csv"; }
  std::string out() const { return folder_ / "run"; }
  Words train(const std::string& data, const Words& more) const {
    return on_table("retrain", data,
                    joined({"--architecture", folder_ / "a.json", "--out", out()}, more));
  }
  void begin() const {
    const Ended ended = run_program(train(table(), {"--epochs", "1"}));
    ASSERT_EQ(ended.code, kDone) << ended.err;
  }
  void expect_refusal(const Words& words, const std::string& part) const {
    const Ended ended = run_program(words);
    EXPECT_EQ(ended.code, kFailed) << ended.out;
    EXPECT_THAT(ended.err, HasSubstr(part));
  }

  TemporaryFolder folder_;
};

TEST_F(Resuming, TakesARunAndDataThatHaveMoved) {
  begin();
  std::filesystem::rename(folder_ / "run", folder_ / "moved");
  std::filesystem::copy_file(folder_ / "table.csv", folder_ / "staged.csv");
  std::filesystem::remove(folder_ / "table.csv");
  std::filesystem::rename(folder_ / "a.json", folder_ / "b.json");
  const Ended ended = run_program(on_table("retrain", (folder_ / "./staged.csv").string(),
                                           {"--architecture", folder_ / "b.json", "--out",
                                            folder_ / "moved", "--epochs", "1", "--resume"}));
  EXPECT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("nothing to do"));
  EXPECT_EQ(read_run_record(folder_ / "moved")["processes"].size(), 2u);
}

TEST_F(Resuming, RefusesEditedDataAndNamesFileAndColumn) {
  begin();
  std::string text = two_clusters(200);
  text.replace(text.find("\n0.0,") + 1, 3, "9.9");
  write_plainly(folder_ / "table.csv", text);
  const Words again = train(table(), {"--epochs", "1", "--resume"});
  expect_refusal(again, "holds a run on other data: file table.csv, feature 0");
  write_plainly(folder_ / "table.csv", two_clusters(202));
  expect_refusal(again, "n_train was 160 and is 162 now");
  // The same rows in another order train another model.
  std::vector<int> classes(200);
  for (size_t i = 0; i < classes.size(); ++i) {
    classes[i] = i < 100 ? 0 : 1;
  }
  write_plainly(folder_ / "table.csv", clusters(classes));
  expect_refusal(again, "holds a run on other data: file table.csv");
}

TEST_F(Resuming, ExtendsATrainingWhereItIsAskedTo) {
  begin();
  const Words longer = train(table(), {"--epochs", "3", "--resume"});
  expect_refusal(longer, "trainer.epochs was 1 and is 3 now: give the same, add --extend");
  expect_refusal(joined(longer, {"--allow-change", "trainer.epochs"}), "add --extend");
  Ended ended = run_program(joined(longer, {"--extend"}));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.err, AllOf(HasSubstr("trainer.epochs was 1 and is 3 now, after epoch 1"),
                               HasSubstr("schedule of 3 epochs")));
  EXPECT_EQ(metrics_of(out()).size(), 3u);
  EXPECT_EQ(
      read_run_record(out())["changes"],
      Json::array(
          {{{"option", "trainer.epochs"}, {"was", 1}, {"is", 3}, {"after", {{"epoch", 1}}}}}));
  ended = run_program(longer);
  EXPECT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("nothing to do"));
  expect_refusal(train(table(), {"--epochs", "2", "--resume", "--extend"}),
                 "trainer.epochs was 3 and is 2 now");
  EXPECT_EQ(run_program(train(table(), {"--extend"})).code, kBadUsage);
}

TEST_F(Resuming, FillsOptionsThatAnOlderRunDidNotHave) {
  begin();
  Json config = read_json(out() + "/config.json");
  config["trainer"].erase("ema");
  config["data"].erase("synthetic");
  write_json(out() + "/config.json", config);
  std::filesystem::remove(out() + "/run.json");
  const Words again = train(table(), {"--epochs", "1", "--resume"});
  const Ended ended = run_program(again);
  EXPECT_EQ(ended.code, kDone) << ended.err;
  std::filesystem::remove(out() + "/run.json");
  expect_refusal(joined(again, {"--set", "trainer.ema=0.9"}), "trainer.ema was 0.0 and is 0.9 now");
}

class ResumedExploration : public testing::Test {
 protected:
  Words explore(const Words& more) const {
    return joined({"explore", "--space", folder_ / "graph.json", "--strategy", "grid",
                   "--evaluator", "command", "--quiet", "--threads", "1", "--out", folder_ / "run"},
                  joined(little_data(), more));
  }
  /// The graph of the space `tiny`, its first 3 x 3 kernel replaced.
  void write_graph(int64_t kernel) {
    const Ended shown = run_program(joined({"space", "tiny", "--format", "ir"}, little_data()));
    std::string text = shown.out;
    const std::string three = "\"kernel\": 3";
    const size_t place = text.find(three);
    ASSERT_NE(place, text.npos);
    write_plainly(folder_ / "graph.json",
                  text.replace(place, three.size(), "\"kernel\": " + std::to_string(kernel)));
  }

  TemporaryFolder folder_;
};

TEST_F(ResumedExploration, RefusesASpaceThatWasEditedUnderTheSameNames) {
  write_graph(3);
  const Words one = {"--set", "evaluator.command=echo 1", "--max-trials", "1"};
  const Words two = {"--set", "evaluator.command=echo 1", "--max-trials", "2", "--resume"};
  Ended ended = run_program(explore(one));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  const Json scored = read_json(folder_ / "run/space.json");
  write_graph(5);
  ended = run_program(explore(two));
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("holds a run of another graph: node '"),
                               HasSubstr("kernel was 3 and is 5 now")));
  EXPECT_EQ(read_json(folder_ / "run/space.json"), scored);
  write_graph(3);
  EXPECT_EQ(run_program(explore(two)).code, kDone);
}

TEST_F(ResumedExploration, TakesAnotherCommandWhereItIsAllowedAndKeepsFromWhichTrialOn) {
  write_graph(3);
  Ended ended = run_program(explore({"--set", "evaluator.command=echo 1", "--max-trials", "1"}));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  const Words other = {"--set", "evaluator.command=echo 2", "--max-trials", "2", "--resume"};
  ended = run_program(explore(other));
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("evaluator.command was \"echo 1\" and is \"echo 2\" now"),
                               HasSubstr("--allow-change evaluator.command")));
  ended = run_program(explore(joined(other, {"--allow-change", "evaluator.command"})));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  const Json changes = read_run_record(folder_ / "run")["changes"];
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes[0]["after"], Json({{"trial", 1}}));
  EXPECT_EQ(run_program(explore(other)).code, kDone);
  ended = run_program(explore(joined(other, {"--allow-change", "run.seed"})));
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_THAT(ended.err, HasSubstr("--allow-change run.seed: with another one it is another run"));
}

TEST(ResumingOptions, OfTheRunItselfAreComparedOtherwise) {
  EXPECT_TRUE(is_compared_otherwise("data.dir"));
  EXPECT_FALSE(is_compared_otherwise("profile.table"));
}

}  // namespace
}  // namespace retia
