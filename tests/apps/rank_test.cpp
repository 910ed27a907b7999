#include <gmock/gmock.h>

#include "retia/tests/apps/program_runs.h"

namespace retia {
namespace {

using testing::HasSubstr;

TEST(Rank, ComparesInheritedWeightsWithTrainingAlone) {
  const TemporaryFolder folder;
  const std::filesystem::path run = folder / "search", ranked = folder / "rank";
  ASSERT_EQ(run_program(little("search", {"--algorithm", "spos", "--epochs", "1", "--set",
                                          "algorithm.evolution.rounds=1", "--out", run}))
                .code,
            kDone);
  const Words words = little("rank", {"--checkpoint", run, "--epochs", "1", "--out", ranked});
  const Ended ended = run_program(joined(words, {"--max-trials", "4"}));
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr("4 architectures\nKendall's tau"));
  const Json found = read_json(ranked / "rank.json");
  ASSERT_EQ(found.at("architectures").size(), 4);
  for (const Json& point : found.at("architectures")) {
    EXPECT_GE(point.at("inherited").get<double>(), 0);
    EXPECT_LE(point.at("alone").get<double>(), 1);
  }
  EXPECT_THAT(read_file(ranked / "rank.svg"), HasSubstr("</svg>"));
}

TEST(Rank, SaysWhatItNeeds) {
  const TemporaryFolder folder;
  const Ended ended =
      run_program(little("rank", {"--checkpoint", folder / "none", "--out", folder / "rank"}));
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_THAT(ended.err, HasSubstr("rank needs --max-trials N"));
  EXPECT_FALSE(std::filesystem::exists(folder / "rank"));
}

}  // namespace
}  // namespace retia
