#include <gmock/gmock.h>

#include <cmath>

#include "retia/tests/apps/program_runs.h"

namespace retia {
namespace {

constexpr int64_t kSeeds = 5;

/// Searches on the digits, trains what it finds and returns the test accuracy, all layer by layer,
/// since fused operations on the CPU stay in float32.
double accuracy(const std::string& precision, int64_t seed) {
  const TemporaryFolder folder;
  const auto run = [&](const std::string& command, const Words& more) {
    const Ended ended = run_program(
        joined({command, "--space", "tiny", "--data", "digits", "--precision", precision, "--seed",
                std::to_string(seed), "--executor", "reference", "--threads", "1", "--quiet",
                "--batch-size", "32", "--set", "space.channels=16"},
               more));
    EXPECT_EQ(ended.code, kDone) << ended.err;
    return ended.out;
  };
  run("search", {"--algorithm", "darts", "--out", folder / "search", "--epochs", "4"});
  const std::string out =
      run("retrain", {"--architecture", folder / "search/architecture.json", "--out",
                      folder / "retrain", "--epochs", "20", "--set", "weight_optimizer.lr=0.1"});
  const std::string before = "test accuracy ";
  return std::stod(out.substr(out.find(before) + before.size()));
}

struct Sample {
  double mean = 0, variance = 0;  // of five
};

Sample of_all_seeds(const std::string& precision) {
  std::vector<double> values;
  Sample sample;
  for (int64_t seed = 0; seed < kSeeds; ++seed) {
    values.push_back(accuracy(precision, seed));
    sample.mean += values.back() / kSeeds;
  }
  for (const double value : values) {
    sample.variance += (value - sample.mean) * (value - sample.mean) / (kSeeds - 1);
  }
  std::cout << precision << ": " << sample.mean << " % ± " << std::sqrt(sample.variance) << " ("
            << testing::PrintToString(values) << ")\n";
  return sample;
}

TEST(Precision, Bf16ReachesTheAccuracyOfFp32OnDigits) {
  const Sample full = of_all_seeds("fp32"), lower = of_all_seeds("bf16");
  // Welch's test, two-sided, at 99 %: t of 8 degrees of freedom.
  const double error = std::sqrt((full.variance + lower.variance) / kSeeds);
  constexpr double kSample = 100.0 / 359;  // one of the test set: where all seeds do alike
  EXPECT_LT(std::abs(full.mean - lower.mean), std::max(3.36 * error, kSample));
  EXPECT_GT(full.mean, 97) << "nothing was learnt that could be lost";
  EXPECT_LT(error, 0.4) << "too noisy a test to tell";
}

TEST(AveragedWeights, AreWhatARunIsScoredByAndWhatEvaluateReads) {
  const TemporaryFolder folder;
  Words words = little(
      "search", {"--algorithm", "spos", "--out", folder / "search", "--epochs", "1", "--precision",
                 "bf16", "--set", "algorithm.evolution.rounds=1", "--set", "trainer.ema=0.9"});
  ASSERT_EQ(run_program(words).code, kDone);
  const std::string architecture = folder / "search/architecture.json";
  const auto line_of = [](const Ended& ended) {
    EXPECT_EQ(ended.code, kDone) << ended.err;
    return ended.out.substr(ended.out.find("test accuracy"));
  };
  const auto scored = [&](const std::string& name, const std::string& ema) {
    const std::string run = folder / name;
    const std::string trained = line_of(run_program(
        little("retrain", {"--architecture", architecture, "--out", run, "--epochs", "2",
                           "--precision", "bf16", "--set", "trainer.ema=" + ema})));
    EXPECT_EQ(line_of(run_program(little("evaluate", {"--architecture", architecture, "--precision",
                                                      "bf16", "--checkpoint", run}))),
              trained);
    return metrics_of(run).back();
  };
  const Json averaged = scored("averaged", "0.9"), plain = scored("plain", "0");
  EXPECT_EQ(averaged.at("loss"), plain.at("loss")) << "training goes the same way";
  EXPECT_NE(averaged.at("valid_loss"), plain.at("valid_loss"));
}

}  // namespace
}  // namespace retia
