#include <gmock/gmock.h>

#include "retia/engine/cost/latency_table.h"
#include "retia/tests/apps/program_runs.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;

class Profile : public testing::Test {
 protected:
  std::string table() const { return folder_ / "latency.json"; }

  /// Measures the space `tiny`, quickly.
  Ended profile(const Words& more = {}) const {
    const Words words = {
        "profile",          "tiny",      "--table", table(),  "--set", "profile.repeats=3", "--set",
        "profile.warmup=1", "--threads", "1",       "--quiet"};
    return run_program(joined(joined(words, little_data()), more));
  }
  Ended search(const Words& more) const {
    return run_program(
        little("search", joined({"--epochs", "1", "--quiet", "--out", folder_ / "run"}, more)));
  }

  const TemporaryFolder folder_;
};

TEST_F(Profile, MeasuresEveryOperationOnceAndKeepsWhatIsThere) {
  Ended ended = profile();
  ASSERT_EQ(ended.code, kDone) << ended.err;
  const Json first = read_json(table());
  const size_t n = first.at("entries").size();
  EXPECT_GT(n, 4);
  EXPECT_THAT(ended.out, HasSubstr("measured " + std::to_string(n) + " operations, holds " +
                                   std::to_string(n) + "; cpu ("));
  for (const Json& entry : first.at("entries")) {
    EXPECT_GT(entry.at("milliseconds").get<double>(), 0) << entry;
    EXPECT_EQ(entry.at("repeats"), 3);
  }
  EXPECT_EQ(first.at("conditions").at("threads"), 1);
  ended = profile();
  EXPECT_THAT(ended.out, HasSubstr("measured 0 operations"));
  EXPECT_EQ(read_json(table()), first);
  ended = profile({"--force"});
  EXPECT_THAT(ended.out, HasSubstr("measured " + std::to_string(n) + " operations"));
  // Other sizes are added to what is there.
  ended = profile({"--set", "space.channels=3"});
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_GT(read_json(table()).at("entries").size(), n);
}

TEST_F(Profile, RefusesATableThatCannotBeWrittenBeforeItMeasures) {
  const std::string nowhere = folder_ / "none" / "latency.json";
  const Ended ended =
      run_program(joined({"profile", "tiny", "--table", nowhere, "--threads", "1"}, little_data()));
  EXPECT_EQ(ended.code, kFailed);
  // No line of progress comes first.
  EXPECT_EQ(ended.err, "retia: " + nowhere + ": cannot be written: No such file or directory\n");
}

TEST_F(Profile, RefusesToMixConditionsUnlessForced) {
  ASSERT_EQ(profile().code, kDone);
  Ended ended = profile({"--precision", "fp64"});
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("holds latencies of cpu"), HasSubstr("fp64"),
                               HasSubstr("give another --table, or --force")));
  ended = profile({"--precision", "fp64", "--force"});
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_EQ(LatencyTable::read(table()).conditions().precision, "fp64");
}

TEST_F(Profile, IsWhatTheCommandSpaceSums) {
  ASSERT_EQ(profile().code, kDone);
  const Words words = joined({"space", "tiny", "--profile", "--table", table()}, little_data());
  Ended ended = run_program(words);
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, MatchesRegex("multiply-adds  parameters  ms  output  operation\n.*"
                                      "total: [0-9]+ multiply-adds, [0-9]+ parameters, [0-9.e-]+ "
                                      "ms\n"));
  ended = run_program(joined(words, {"--set", "space.channels=5"}));
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("has no latency of "),
                               HasSubstr("`retia profile --space tiny --table " + table())));
}

TEST_F(Profile, TimesAWholeModelBesideTheSumOfItsParts) {
  const std::string architecture = folder_ / "architecture.json";
  write_json(architecture, {{"body", "conv3x3"}, {"skip", "body"}});
  const Ended ended = profile({"--architecture", architecture});
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, MatchesRegex(".*\n" + architecture +
                                      ": [0-9.e-]+ ms measured, [0-9.e-]+ ms by the table\n"));
}

TEST_F(Profile, NeedsAFileAndSaneNumbers) {
  Ended ended = run_program(joined({"profile", "tiny"}, little_data()));
  EXPECT_EQ(ended.code, kBadUsage);
  EXPECT_THAT(ended.err, HasSubstr("profile needs --table FILE"));
  ended = profile({"--set", "profile.batch=0"});
  EXPECT_EQ(ended.code, kBadUsage);
  EXPECT_THAT(ended.err, HasSubstr("profile.batch must be at least 1"));
  EXPECT_FALSE(std::filesystem::exists(table()));
}

TEST_F(Profile, LetsASearchGoByLatency) {
  const Words penalty = {"--set", "algorithm.penalty.cost=latency",
                         "--set", "algorithm.penalty.table=" + table(),
                         "--set", "algorithm.penalty.scale=0.2"};
  Ended ended = search(penalty);
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_THAT(ended.err, HasSubstr(table()));
  ASSERT_EQ(profile().code, kDone);
  ended = search(penalty);
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.err, testing::Not(HasSubstr("warning")));
}

TEST_F(Profile, LetsASearchStayWithinAWindowOfLatency) {
  ASSERT_EQ(profile().code, kDone);
  const Words window = {"--algorithm", "spos",
                        "--set",       "algorithm.evolution.rounds=1",
                        "--set",       "algorithm.evolution.population=4",
                        "--set",       "algorithm.window.table=" + table(),
                        "--precision", "fp64"};
  Ended ended = search(joined(window, {"--set", "algorithm.window.max_latency=1e-9"}));
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_THAT(ended.err, AllOf(HasSubstr("warning: " + table() + " was measured on cpu"),
                               HasSubstr("within the window of costs")));
}

}  // namespace
}  // namespace retia
