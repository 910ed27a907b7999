#include "retia/trainers/evaluators/result_line.h"

#include <gmock/gmock.h>

#include <cmath>

namespace retia {
namespace {

TEST(ResultLine, ReadsJsonAsItIs) {
  for (const char* line : {"0.75", "-3", "\"x NaN\"", R"({"a": [1, 2.5e-3, true, null, ".5"]})"}) {
    EXPECT_EQ(read_result_line(line), Json::parse(line)) << line;
  }
}

TEST(ResultLine, ReadsNumbersAsPythonAndCWriteThem) {
  for (const auto& [line, value] :
       std::vector<std::pair<std::string, double>>{{".93", 0.93},
                                                   {"+0.5", 0.5},
                                                   {"-.5", -0.5},
                                                   {"+3", 3},
                                                   {"5.", 5},
                                                   {"1.e-2", 0.01},
                                                   {"007", 7},
                                                   {"Infinity", HUGE_VAL},
                                                   {"-Infinity", -HUGE_VAL},
                                                   {"inf", HUGE_VAL},
                                                   {"-inf", -HUGE_VAL}}) {
    const Json json = read_result_line(line);
    ASSERT_TRUE(json.is_number()) << line;
    EXPECT_EQ(json.get<double>(), value) << line;
  }
  EXPECT_TRUE(std::isnan(read_result_line("NaN").get<double>()));
  EXPECT_TRUE(std::isnan(read_result_line("-nan").get<double>()));
}

TEST(ResultLine, ReadsThemInsideOfObjectsButNotOfTexts) {
  const Json json = read_result_line(
      R"({"intermediate": {"loss": NaN, "accuracy": .5}, "note": "a \" NaN, .5", "n": 3})");
  EXPECT_TRUE(std::isnan(json.at("intermediate").at("loss").get<double>()));
  EXPECT_EQ(json.at("intermediate").at("accuracy"), 0.5);
  EXPECT_EQ(json.at("note"), "a \" NaN, .5");
  EXPECT_TRUE(json.at("n").is_number_integer());
}

TEST(ResultLine, DiscardsWhatIsNoResult) {
  for (const char* line : {"", "done", "epoch 1: loss nan", "{\"a\": nano}", "+-5", "++1", "1e999",
                           "0x10", "[NaN", "\"open", "\"open\\", "{NaN: 1}x"}) {
    EXPECT_TRUE(read_result_line(line).is_discarded()) << line;
  }
}

}  // namespace
}  // namespace retia
