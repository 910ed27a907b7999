#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "retia/engine/base/device.h"
#include "retia/engine/io/process.h"
#include "retia/tests/apps/program_runs.h"

namespace retia {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

Words little_step(const Words& more) {
  return joined({"bench", "search-step", "--channels", "4", "--layers", "3", "--nodes", "1",
                 "--batch", "4", "--image", "8", "--steps", "2", "--warmup", "0", "--threads", "1"},
                more);
}

/// Expects one line on stderr that holds `part`, nothing on stdout, and that exit code.
void expect_refused(const Words& words, ExitCode code, const std::string& part) {
  SCOPED_TRACE(testing::PrintToString(words));
  const Ended ended = run_program(words);
  EXPECT_EQ(ended.code, code);
  EXPECT_EQ(ended.out, "");
  EXPECT_EQ(std::count(ended.err.begin(), ended.err.end(), '\n'), 1) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr(part));
}

TEST(Bench, TimesASearchStepInEachPrecision) {
  for (const char* const precision : {"fp32", "fp64", "bf16"}) {
    const Ended ended = run_program(little_step({"--precision", precision}));
    ASSERT_EQ(ended.code, kDone) << ended.err;
    const Json line = Json::parse(ended.out);
    EXPECT_EQ(line["impl"], "retia");
    EXPECT_EQ(line["algo"], "darts_order1");
    EXPECT_EQ(line["config"]["precision"], precision);
    EXPECT_EQ(line["seconds_per_step"]["n"], 2);
    const double median = line["seconds_per_step"]["median"];
    EXPECT_GT(median, 0);
    EXPECT_NEAR(line["images_per_second"].get<double>(), 4 / median, 1e-6 / median);
    EXPECT_GT(line["peak_rss_mib"].get<double>(), 0);
    EXPECT_EQ(line["arch_params"], 2 * 2 * 8);  // edges of one node, of both kinds of cell
    EXPECT_TRUE(std::isfinite(line["loss_last"].get<double>()));
  }
}

TEST(Bench, TimesKernelsAgainstTheLimitOfThisMachine) {
  const TemporaryFolder folder;
  const std::string out = folder / "kernels.json";
  const Ended ended = run_program({"bench", "kernels", "--filter", "norm/norm/", "--out", out});
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("limit: a copy moves "));
  const Json written = read_json(out);
  EXPECT_EQ(written["format"], "retia.bench.kernels");
  EXPECT_EQ(written["version"], 1);
  EXPECT_EQ(written["device"], "cpu");
  EXPECT_EQ(written["precision"], "fp32");
  EXPECT_NE(written["machine"], "");
  ASSERT_EQ(written["kernels"].size(), 1u);
  const Json& row = written["kernels"][0];
  EXPECT_EQ(row["name"], "conv_norm/norm");
  for (const char* const key : {"ms", "GB/s", "ratio", "ratio_to_channels_last"}) {
    EXPECT_GT(row[key].get<double>(), 0) << key;
  }
  const double by_bytes =
      row["GB/s"].get<double>() / written["copy_gigabytes_a_second"].get<double>();
  const double by_products =
      row["GFLOP/s"].get<double>() / written["product_gigaflops"].get<double>();
  EXPECT_NEAR(row["per_cent"].get<double>(), 100 * std::max(by_bytes, by_products), 1e-6);
}

TEST(Bench, RefusesFlagsThatItDoesNotKnow) {
  expect_refused({"bench"}, kBadUsage, "retia bench search-step");
  expect_refused({"bench", "kernel"}, kBadUsage,
                 "unknown command 'bench kernel'; did you mean 'bench kernels'?");
  expect_refused({"bench", "kernels", "--filters", "a"}, kBadUsage, "did you mean '--filter'?");
  expect_refused({"bench", "kernels", "--out"}, kBadUsage,
                 "argument for option '--out' is missing");
  expect_refused({"bench", "kernels", "--filter", "a'b"}, kBadUsage, "no quotes");
  expect_refused({"bench", "kernels", "--precision", "fp8"}, kBadUsage, "'fp8'");
  expect_refused({"bench", "kernels", "--precision", "bf16"}, kBadUsage, "for --device cuda");
  expect_refused(little_step({"--precision", "fp8"}), kBadUsage, "'fp8'");
  expect_refused(little_step({"--precision", "fp16"}), kBadUsage, "take bf16 on a CPU");
  expect_refused(little_step({"--executor", "fast"}), kBadUsage, "'fast'");
  expect_refused(little_step({"--space", "dart_cnn"}), kBadUsage, "did you mean 'darts_cnn'?");
  expect_refused({"bench", "search-step", "--batch", "0"}, kBadUsage,
                 "--batch must be at least 1, got 0");
}

TEST(Bench, HelpsAsOtherCommands) {
  const Ended forms = run_program({"bench", "--help"});
  EXPECT_EQ(forms.code, kDone);
  EXPECT_THAT(forms.out, HasSubstr("  bench search-step  times a step"));
  const Ended step = run_program({"help", "bench", "search-step"});
  EXPECT_EQ(step.code, kDone);
  EXPECT_THAT(step.out, HasSubstr("--in-channels N"));
  EXPECT_THAT(step.out, HasSubstr("(1 to 1000000; default 3)"));
}

TEST(Bench, FailsInOneLineWithoutAGpu) {
  if (available_devices().size() > 1) {
    GTEST_SKIP() << "this machine has a GPU";
  }
  expect_refused(little_step({"--device", "cuda"}), kFailed, "use --device cpu");
  expect_refused({"bench", "kernels", "--device", "cuda"}, kFailed, "use --device cpu");
}

TEST(Bench, FailsWhereNoKernelIsCalledSo) {
  const Ended ended = run_program({"bench", "kernels", "--filter", "nothing"});
  EXPECT_EQ(ended.code, kFailed);
  EXPECT_EQ(ended.err, "retia: bench kernels: no benchmark is called like 'nothing'\n");
}

TEST(Bench, AKernelThatRefusesStopsNoOther) {
  const auto folder = std::filesystem::read_symlink("/proc/self/exe").parent_path();
  const ProcessResult ended = run_process(c10::str("'", (folder / "conv_norm_bench").string(),
                                                   "' --precision=bf16 --benchmark_format=json "
                                                   "--benchmark_filter='norm/(norm|pointwise)/'"));
  EXPECT_EQ(ended.code, 0) << ended.err;
  const Json found = Json::parse(ended.out.substr(ended.out.find('{'))).at("benchmarks");
  ASSERT_EQ(found.size(), 2u);
  for (const Json& row : found) {
    EXPECT_TRUE(row.at("error_occurred").get<bool>());
    EXPECT_THAT(row.at("error_message").get<std::string>(), HasSubstr("on a GPU also"));
  }
}

/// Numbers in front of each line: multiply-adds, megabytes as planned, megabytes layer by layer.
TEST(SpacePlan, PrintsWhatRunsAsOneAndWhatItMoves) {
  const Ended ended = run_program({"space", "darts_cnn", "--plan", "--data", "synthetic", "--set",
                                   "space.channels=4", "--set", "space.layers=3"});
  ASSERT_EQ(ended.code, kDone) << ended.err;
  EXPECT_EQ(ended.err, "");
  EXPECT_THAT(ended.out, HasSubstr("conv_norm of conv2d batch_norm\n"));
  EXPECT_THAT(ended.out, HasSubstr("mixed_op of stride 2 of"));
  std::istringstream lines(ended.out);
  double sum = 0, planned = 0, alone = 0, rounding = 5e-4;
  std::string line, last;
  for (std::getline(lines, line); std::getline(lines, line); last = line) {
    std::istringstream numbers(line);
    double multiply_adds = 0, fused = 0, apart = 0;
    if (numbers >> multiply_adds >> fused >> apart) {
      EXPECT_LE(fused, apart) << line;
      sum += multiply_adds, planned += fused, alone += apart, rounding += 5e-4;
    }
  }
  double total = 0, total_planned = 0, total_alone = 0;
  ASSERT_EQ(
      std::sscanf(last.c_str(), "total: %lf M multiply-adds, %lf MB moved; layer by layer %lf MB",
                  &total, &total_planned, &total_alone),
      3)
      << last;
  EXPECT_NEAR(sum, total, rounding);
  EXPECT_NEAR(planned, total_planned, rounding);
  EXPECT_NEAR(alone, total_alone, rounding);
  EXPECT_LT(total_planned, total_alone / 2);
}

TEST(SpacePlan, RefusesASpaceThatIsNotThere) {
  expect_refused({"space", "darts_cn", "--plan"}, kBadUsage, "did you mean 'darts_cnn'?");
  expect_refused({"space", "mnasnet", "--plan", "--data", "synthetic"}, kFailed, "retia explore");
}

}  // namespace
}  // namespace retia
