#include <gmock/gmock.h>

#include "retia/engine/experiment/trial_store.h"
#include "retia/engine/io/run_directory.h"
#include "retia/tests/apps/program_runs.h"

namespace retia {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::StartsWith;

Json report_of(const std::string& run) {
  const Ended ended = run_program({"report", run, "--format", "json"});
  EXPECT_EQ(ended.code, kDone) << ended.err;
  return Json::parse(ended.out);
}

TEST(Report, ShowsAFinishedSearch) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  ASSERT_EQ(
      run_program(little("search", {"--algorithm", "darts", "--epochs", "2", "--out", out})).code,
      kDone);
  const Json report = report_of(out);
  EXPECT_EQ(report.at("state"), "finished");
  EXPECT_EQ(report.at("command"), "search");
  EXPECT_EQ(report.at("algorithm"), "darts");
  EXPECT_EQ(report.at("epochs"), "2/2");
  EXPECT_EQ(report.at("loss"), metrics_of(out).back().at("loss"));
  EXPECT_GT(report.at("peak_memory").get<double>(), 10);
  EXPECT_EQ(report.at("choices"), read_json(folder / "run/architecture.json").at("choices"));
  const std::string text = run_program({"report", out}).out;
  EXPECT_THAT(text, StartsWith("run  "));
  EXPECT_THAT(text, HasSubstr("\nstate               finished\n"));
  EXPECT_THAT(run_program({"report", out, "--format", "csv"}).out, HasSubstr("state,finished\n"));
  EXPECT_THAT(text, ContainsRegex("\nloss                [0-9][0-9.]{0,7}\n"));
}

TEST(Report, TellsRunningStoppedAndCrashedApart) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const Ended stopped = run_program(little(
      "search", {"--algorithm", "spos", "--epochs", "2", "--time-limit", "1e-9", "--out", out}));
  EXPECT_EQ(stopped.code, kInterrupted);
  EXPECT_THAT(report_of(out).at("state").get<std::string>(), StartsWith("stopped"));
  {
    const Json config = read_json(folder / "run/config.json");
    Json same = config;
    same.erase("format");
    same.erase("version");
    const RunDirectory held = RunDirectory::resume(out, same);
    EXPECT_EQ(report_of(out).at("state"), "running");
  }
  std::ofstream(folder / "run/log.txt", std::ios::app) << "2026-01-01T00:00:00Z epoch 2/2\n";
  EXPECT_THAT(report_of(out).at("state").get<std::string>(), StartsWith("crashed"));
  EXPECT_EQ(report_of(out).at("epochs"), "none is done yet");
}

TEST(Report, ShowsAnExperiment) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  const Words explore = {
      "--strategy", "grid",  "--evaluator",
      "command",    "--set", "evaluator.command=test $RETIA_TRIAL -ne 2 && echo $RETIA_TRIAL",
      "--out",      out};
  ASSERT_EQ(run_program(little("explore", joined(explore, {"--max-trials", "3"}))).code, kDone);
  Json report = report_of(out);
  EXPECT_EQ(report.at("state"), "finished: max_trials");
  EXPECT_EQ(report.at("trials"), 3);
  EXPECT_EQ(report.at("failed"), 1);
  EXPECT_EQ(report.at("best"), "trial 1, metric 1 (maximise)");
  ASSERT_EQ(run_program(little("explore", joined(explore, {"--resume"}))).code, kDone);
  report = report_of(out);
  EXPECT_EQ(report.at("state"), "finished: exhausted");
  EXPECT_EQ(report.at("best"), "trial 3, metric 3 (maximise)");
  // A trial that the killed program has left behind.
  Database(store_path(out), DatabaseAccess::Write)
      .execute("UPDATE trials SET status = 'running' WHERE id = 0");
  report = report_of(out);
  EXPECT_EQ(report.at("interrupted"), 1);
  EXPECT_FALSE(report.contains("running"));
}

TEST(Report, NamesADamagedLineButNotOneThatIsBeingWritten) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  ASSERT_EQ(
      run_program(little("search", {"--algorithm", "random", "--epochs", "2", "--out", out})).code,
      kDone);
  const std::string whole = read_file(folder / "run/metrics.jsonl");
  write_plainly(folder / "run/metrics.jsonl", whole + "{\"epoch\": 3, \"lo");
  EXPECT_EQ(report_of(out).at("epochs"), "2/2");
  write_plainly(folder / "run/metrics.jsonl", "{\"epo\n" + whole);
  const Ended ended = run_program({"report", out});
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_THAT(ended.err, testing::HasSubstr("metrics.jsonl, line 1: is damaged"));
}

TEST(Report, RefusesWhatIsNoRun) {
  const TemporaryFolder folder;
  const Ended ended = run_program({"report", folder / "none"});
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_THAT(ended.err, HasSubstr("config.json"));
  EXPECT_EQ(run_program({"report"}).err, "retia: report needs a run directory: retia report DIR\n");
}

}  // namespace
}  // namespace retia
