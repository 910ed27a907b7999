#include "retia/engine/cost/latency_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "retia/engine/io/files.h"
#include "retia/engine/operations/batch_norm.h"
#include "retia/engine/operations/conv2d.h"
#include "retia/engine/operations/join.h"
#include "retia/tests/engine/io/temporary_folder.h"
#include "retia/tests/error_of.h"

namespace retia {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::MatchesRegex;

const LatencyConditions kHere = {.device = "cpu", .hardware = "Abacus", .threads = 2, .batch = 4};
const std::vector<Shape> kSmall = {{8, 4, 4}}, kLarge = {{8, 16, 16}};

TEST(LatencyTable, TellsOperationsApartByParametersAndShapes) {
  LatencyTable table(kHere);
  table.set(ops::conv2d({}), kSmall, {0.5, 10, "2026-11-24T19:00:00Z"});
  table.set(ops::conv2d({.kernel = 5}), kSmall, {0.75, 10, "2026-11-24T19:00:00Z"});
  table.set(ops::add(), {kSmall[0], kSmall[0]}, {0.25, 10, "2026-11-24T19:00:00Z"});
  table.set(ops::conv2d({}), kSmall, {0.625, 11, "2026-11-24T19:00:01Z"});
  EXPECT_EQ(table.size(), 3);
  EXPECT_EQ(table.find(ops::conv2d({}), kSmall)->milliseconds, 0.625);
  EXPECT_EQ(table.find(ops::conv2d({.kernel = 5}), kSmall)->milliseconds, 0.75);
  EXPECT_FALSE(table.find(ops::conv2d({}), kLarge));
  EXPECT_FALSE(table.find(ops::add(), kSmall));
  EXPECT_FALSE(table.find(ops::batch_norm(), kSmall));
}

TEST(LatencyTable, ReadsWhatItWrote) {
  const TemporaryFolder folder;
  LatencyTable table(kHere);
  table.set(ops::conv2d({.out = 3}), kLarge, {0.1, 7, "2026-11-24T19:00:00Z"});
  table.write(folder / "latency.json");
  const Json json = read_json(folder / "latency.json");
  EXPECT_EQ(json.at("format"), "retia.latency");
  EXPECT_EQ(json.at("conditions").at("hardware"), "Abacus");
  const LatencyTable read = LatencyTable::read(folder / "latency.json");
  EXPECT_EQ(read.conditions(), kHere);
  ASSERT_EQ(read.size(), 1);
  const Latency latency = *read.find(ops::conv2d({.out = 3}), kLarge);
  EXPECT_EQ(latency.milliseconds, 0.1);
  EXPECT_EQ(latency.repeats, 7);
  EXPECT_EQ(latency.measured, "2026-11-24T19:00:00Z");
  read.write(folder / "again.json");
  EXPECT_EQ(read_file(folder / "latency.json"), read_file(folder / "again.json"));
}

TEST(LatencyTable, SaysWhatIsWrongWithAFile) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "latency.json";
  EXPECT_THAT(error_of([&] { LatencyTable::read(file); }), HasSubstr(file.string()));
  write_json(file, {{"format", "retia.latency"}, {"version", 1}});
  EXPECT_THAT(error_of([&] { LatencyTable::read(file); }),
              AllOf(HasSubstr(file.string()), HasSubstr("is no table of latencies")));
  const Json entry = {{"operation", "add"}, {"parameters", Json::object()},
                      {"inputs", {{1}}},    {"milliseconds", -1},
                      {"repeats", 1},       {"measured", ""}};
  write_json(file, {{"format", "retia.latency"},
                    {"version", 1},
                    {"conditions", kHere},
                    {"entries", Json::array({entry})}});
  EXPECT_THAT(error_of([&] { LatencyTable::read(file); }), HasSubstr("-1 ms is below 0"));
}

TEST(MeasureLatency, TakesLongerForMoreWork) {
  const LatencyMeterOptions options = {.batch = 2, .warmup = 2, .repeats = 9};
  const auto time = [&](int64_t size, at::ScalarType dtype) {
    const Latency latency = measure_latency(ops::conv2d({.out = 16, .kernel = 5}),
                                            {{16, size, size}}, at::kCPU, dtype, options);
    EXPECT_EQ(latency.repeats, 9);
    EXPECT_THAT(latency.measured, MatchesRegex("20..-..-..T..:..:..Z"));
    return latency.milliseconds;
  };
  EXPECT_GT(time(2, at::kFloat), 0);
  EXPECT_GT(time(64, at::kFloat), 4 * time(2, at::kFloat));  // 1,024 times the work
  EXPECT_GT(time(8, at::kDouble), 0);
}

TEST(MeasureLatency, RefusesToRepeatNothing) {
  EXPECT_THAT(error_of([] {
                measure_latency(ops::conv2d({}), kSmall, at::kCPU, at::kFloat, {.repeats = 0});
              }),
              HasSubstr("repeats must be at least 1"));
}

TEST(LatencyConditions, NameTheProcessor) {
  const LatencyConditions here = conditions_here(at::kCPU, at::kDouble, 3);
  EXPECT_EQ(here.device, "cpu");
  EXPECT_NE(here.hardware, "");
  EXPECT_EQ(here.precision, "fp64");
  EXPECT_EQ(here.batch, 3);
  EXPECT_EQ(to_string(kHere), "cpu (Abacus), fp32, 2 threads, batch 4");
}

}  // namespace
}  // namespace retia
