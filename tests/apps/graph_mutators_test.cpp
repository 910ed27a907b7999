#include <gmock/gmock.h>

#include "retia/tests/apps/program_runs.h"

namespace retia {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

/// A command in a small space of graph mutators.
Words small(const std::string& command, const Words& more) {
  Words words = {command, "--space", "mnasnet", "--batch-size", "8", "--threads", "1"};
  for (const char* setting :
       {"space.channels=[4,8]", "space.layers=[1,1]", "space.strides=[1,2]",
        "space.stem_channels=4", "space.stem_stride=1", "space.last_channels=8"}) {
    words = joined(words, {"--set", setting});
  }
  return joined(joined(words, little_data()), more);
}

TEST(GraphMutatorsInTheProgram, AreExploredByEveryStrategy) {
  for (const std::string& strategy : Program().strategies.names()) {
    SCOPED_TRACE(strategy);
    const TemporaryFolder folder;
    const Ended ended =
        run_program(small("explore", {"--strategy", strategy, "--epochs", "1", "--max-trials", "2",
                                      "--out", folder / "run"}));
    ASSERT_EQ(ended.code, kDone) << ended.err;
    EXPECT_THAT(ended.out, StartsWith("2 trials"));
    const Json found = read_json(folder / "run" / "architecture.json");
    EXPECT_TRUE(found.at("choices").contains("block1/operation")) << found;
  }
}

TEST(GraphMutatorsInTheProgram, MakeAnArchitectureThatIsRetrainedAndEvaluated) {
  const TemporaryFolder folder;
  const std::string file = folder / "parameters.json";
  // As a tuner from outside answers, misspelt as in its documentation in one place.
  Json parameters = Json::object();
  for (const std::string block : {"block0/", "block1/"}) {
    parameters[block + "operation"] = {{"_value", "mb_conv"}, {"_idx", 2}};
    parameters[block + "kernel"] = {{"_value", 5}, {"_idex", 1}};
    parameters[block + "expansion"] = {{"_value", 3}, {"_idx", 0}};
    parameters[block + "se_ratio"] = {{"_value", 0.25}, {"_idx", 1}};
    parameters[block + "skip"] = {{"_value", "identity"}, {"_idx", 1}};
    parameters[block + "channels"] = {{"_idx", 0}};
    parameters[block + "layers"] = {{"_value", 2}, {"_idx", 1}};
  }
  write_json(file, parameters);
  const std::string out = folder / "retrain";
  const Ended trained = run_program(
      small("retrain", {"--architecture", file, "--epochs", "1", "--out", out, "--quiet"}));
  ASSERT_EQ(trained.code, kDone) << trained.err;
  const Ended scored = run_program(small(
      "evaluate", {"--architecture", out + "/architecture.json", "--checkpoint", out, "--quiet"}));
  ASSERT_EQ(scored.code, kDone) << scored.err;
  const auto accuracy = [](const std::string& text) { return text.substr(text.find("test acc")); };
  EXPECT_EQ(accuracy(scored.out), accuracy(trained.out));
}

TEST(GraphMutatorsInTheProgram, HaveNoSupernet) {
  const TemporaryFolder folder;
  const Ended ended =
      run_program(small("search", {"--algorithm", "spos", "--out", folder / "run"}));
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_THAT(ended.err, HasSubstr("space 'mnasnet' is a base graph with graph mutators"));
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

TEST(GraphMutatorsInTheProgram, AreShownAsASearchSpace) {
  const Ended ended = run_program({"space", "mnasnet", "--format", "search-space"});
  ASSERT_EQ(ended.code, kDone) << ended.err;
  const Json space = Json::parse(ended.out);
  EXPECT_EQ(space.at("block2/kernel"), (Json{{"_type", "choice"}, {"_value", {3, 5}}}));
  EXPECT_EQ(run_program({"space", "darts", "--profile"}).code, kDone);
}

TEST(DebugRun, TriesOneModelSaysWhatItIsAndWritesNothing) {
  const TemporaryFolder folder;
  const std::string out = folder / "run";
  for (const Words& more : {Words{}, Words{"--out", out}}) {
    const Ended ended =
        run_program(little("explore", joined({"--debug", "--epochs", "1", "--seed", "3"}, more)));
    ASSERT_EQ(ended.code, kDone) << ended.err;
    EXPECT_THAT(ended.out, HasSubstr("skip: "));
    EXPECT_THAT(ended.out, HasSubstr("multiply-adds "));
    EXPECT_THAT(ended.out, HasSubstr("accuracy "));
    EXPECT_FALSE(std::filesystem::exists(out));
  }
}

TEST(DebugRun, FailsWithTheErrorOfTheEvaluator) {
  const Ended ended = run_program(little("explore", {"--debug", "--evaluator", "command", "--set",
                                                     "evaluator.command=echo lost >&2; exit 3"}));
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_THAT(ended.err, HasSubstr("lost"));
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
}

}  // namespace
}  // namespace retia
