#include "retia/apps/epoch_architectures.h"

#include <gmock/gmock.h>

#include "retia/tests/apps/program_runs.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::HasSubstr;

/// A run of two stages with three and two epochs; the architectures are numbered.
void write_two_stages(const TemporaryFolder& folder) {
  const EpochArchitectures architectures(folder.path());
  for (const int64_t stage : {0, 1}) {
    for (int64_t epoch = 0; epoch < 3 - stage; ++epoch) {
      architectures.write(stage, epoch, {{"n", 10 * stage + epoch + 1}});
    }
  }
}

TEST(EpochArchitectures, KeepTheLatestAsThatOfTheRun) {
  const TemporaryFolder folder;
  write_two_stages(folder);
  EXPECT_EQ(read_json(folder / "architecture.json").at("n"), 12);
  const EpochArchitectures architectures(folder.path());
  EXPECT_EQ(architectures.choose("1"), 1);
  EXPECT_EQ(read_json(folder / "architecture.json").at("n"), 11);
  EXPECT_EQ(architectures.choose("last"), 2);
  EXPECT_EQ(read_json(folder / "architecture.json").at("n"), 12);
}

TEST(EpochArchitectures, TakeTheEpochOfTheLastStageThatValidatedBest) {
  const TemporaryFolder folder;
  write_two_stages(folder);
  write_plainly(
      folder / "metrics.jsonl",
      "{\"epoch\": 1, \"valid_accuracy\": 0.9}\n{\"epoch\": 2, \"valid_accuracy\": 0.95}\n"
      "{\"epoch\": 3}\n{\"epoch\": 1, \"valid_accuracy\": 0.6}\n"
      "{\"epoch\": 2, \"valid_accuracy\": 0.5}\n{\"epo");
  EXPECT_EQ(EpochArchitectures(folder.path()).choose("best"), 1);
  EXPECT_EQ(read_json(folder / "architecture.json").at("n"), 11);
}

TEST(EpochArchitectures, RefuseAnEpochThatIsNotThere) {
  const TemporaryFolder folder, none;
  write_two_stages(folder);
  const auto refusal = [](const TemporaryFolder& run, const std::string& epoch) {
    return error_of([&] { EpochArchitectures(run.path()).choose(epoch); });
  };
  EXPECT_THAT(refusal(folder, "3"), HasSubstr("has no architecture of epoch 3: expected 1 to 2"));
  EXPECT_THAT(refusal(folder, "first"), HasSubstr("is best, last or the number of an epoch"));
  EXPECT_THAT(refusal(folder, "best"), HasSubstr("has validated no epoch"));
  EXPECT_THAT(refusal(none, "last"), HasSubstr("has the architecture of no epoch"));
}

TEST(EpochArchitectures, AreThoseWithWhichAShorterSearchEnds) {
  const TemporaryFolder folder;
  const auto search = [&](const Words& more) {
    return run_program(little("search", joined({"--algorithm", "random", "--epochs", "2"}, more)));
  };
  const auto darts = [&](const std::string& out, const Words& more) {
    return run_program(little(
        "search", joined({"--algorithm", "darts", "--epochs", "2", "--out", folder / out}, more)));
  };
  ASSERT_EQ(darts("whole", {}).code, kDone);
  const Json final_one = read_json(folder / "whole/architecture.json");
  EXPECT_EQ(read_json(folder / "whole/architectures/epoch-2.json"), final_one);
  const Ended first = darts("whole", {"--epoch", "1"});
  EXPECT_EQ(first.code, kDone) << first.err;
  EXPECT_THAT(first.out, HasSubstr("architecture.json of epoch 1\n"));
  EXPECT_EQ(read_json(folder / "whole/architecture.json"),
            read_json(folder / "whole/architectures/epoch-1.json"));

  // One that is stopped after each step has the same.
  int64_t n_runs = 0;
  while (darts("stopped", {"--resume", "--time-limit", "1e-9"}).code == kInterrupted) {
    ASSERT_LT(++n_runs, 100);
  }
  for (const char* epoch : {"epoch-1.json", "epoch-2.json"}) {
    EXPECT_EQ(read_json(folder / "stopped/architectures" / epoch),
              read_json(folder / "whole/architectures" / epoch));
  }
  EXPECT_EQ(read_json(folder / "stopped/architecture.json"), final_one);
  EXPECT_FALSE(std::filesystem::exists(folder / "trials/architectures"));
  ASSERT_EQ(search({"--out", folder / "trials"}).code, kDone);
  EXPECT_FALSE(std::filesystem::exists(folder / "trials/architectures"));
}

}  // namespace
}  // namespace retia
